#!/bin/sh
# What a person or a CI script does: clone, copy, commit, push.
# usage: git_by_hand.sh URL DIRECTORY SLO [SHIPYARD]   (files with the wanted content)
set -eu
url=$1 work=$2 slo=$3 shipyard=${4-}

rm -rf "$work"
git clone --quiet "$url" "$work"
cd "$work"

git checkout --quiet production
cp "$slo" helloservice/slo.yaml
git add helloservice/slo.yaml
git diff --cached --quiet || git commit --quiet --message "gate: sync production evaluation"

git checkout --quiet main
if [ -n "$shipyard" ]; then
    cp "$shipyard" shipyard.yaml
    git add shipyard.yaml
    git diff --cached --quiet || git commit --quiet --message "gate: sync production evaluation"
fi

git push --quiet origin production main
