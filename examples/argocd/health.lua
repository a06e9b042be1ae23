-- The health of a ProductionEvaluation: what kstatus makes of its conditions, so that Argo CD and Flux agree.
-- While spec.suspend is true, Suspended takes the place of Healthy.
-- Only types and statuses of conditions are read, never reasons: a new reason needs no change here.

local function health(status, message)
  return { status = status, message = message }
end

local function is_true(condition)
  return condition ~= nil and condition.status == "True"
end

local generation = obj.metadata.generation
local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready, reconciling, stalled = conditions.Ready, conditions.Reconciling, conditions.Stalled

if is_true(reconciling) and reconciling.observedGeneration == generation then
  return health("Progressing", reconciling.message)
end
-- Everything else in the status is about an earlier spec until this number moves.
if status.observedGeneration ~= generation then
  return health("Progressing", "the operator has not acted on this spec yet")
end
if is_true(stalled) then
  return health("Degraded", stalled.message)
end
if not is_true(ready) then
  return health("Progressing", ready and ready.message or "the operator has not written Ready yet")
end
if obj.spec.suspend then
  return health("Suspended", ready.message)
end
return health("Healthy", ready.message)
