// Kstatus says what GitOps tools make of an object: status.Compute of cli-utils.
//
// It reads JSON objects from standard input, one after the other, and prints one
// line of JSON for each: {"status": ..., "message": ...}, or {"error": ...} for an
// object that kstatus refuses. Input that is no JSON ends it with exit code 1.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type answer struct {
	Status  status.Status `json:"status,omitempty"`
	Message string        `json:"message"`
	Error   string        `json:"error,omitempty"`
}

// compute goes through UnmarshalJSON, which keeps whole numbers as int64: kstatus
// takes a float64 generation for a missing one.
func compute(object json.RawMessage) answer {
	parsed := &unstructured.Unstructured{}
	if err := parsed.UnmarshalJSON(object); err != nil {
		return answer{Error: err.Error()}
	}
	result, err := status.Compute(parsed)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Status: result.Status, Message: result.Message}
}

func main() {
	log.SetFlags(0)
	objects := json.NewDecoder(bufio.NewReader(os.Stdin))
	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	for {
		var object json.RawMessage
		if err := objects.Decode(&object); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatalf("kstatus: standard input: %v", err)
		}
		if err := answers.Encode(compute(object)); err != nil {
			log.Fatalf("kstatus: standard output: %v", err)
		}
	}
}
