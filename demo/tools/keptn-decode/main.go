// Keptn-decode shows what Keptn 1.4.5 reads in an slo.yaml or a shipyard.yaml.
//
// It reads JSON objects {"kind": "slo" | "shipyard", "text": ...} from standard
// input, one after the other, and prints one line of JSON for each: the structure
// of Keptn's go-utils that the text decodes to, or {"error": ...}. A text that
// crashes Keptn gives an error that starts with "panic: ". A text that decodes to
// something that JSON cannot hold gives one that starts with "json: ".
//
// For an SLO the defaults of lighthouse-service are applied: those of comparison,
// and the weight 1; a null objective is dropped. A shipyard has no defaults.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	keptn "github.com/keptn/go-utils/pkg/lib"
	keptnv2 "github.com/keptn/go-utils/pkg/lib/v0_2_0"
	"gopkg.in/yaml.v3"
)

type question struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// decodeSLO does what parseSLO of lighthouse-service does. The pointer to a pointer
// is meant: with it a document that is null leaves slo nil, which crashes Keptn too.
func decodeSLO(text []byte) (*keptn.ServiceLevelObjectives, error) {
	slo := &keptn.ServiceLevelObjectives{}
	if err := yaml.Unmarshal(text, &slo); err != nil {
		return nil, err
	}
	if slo.Comparison == nil {
		slo.Comparison = &keptn.SLOComparison{
			CompareWith:               "single_result",
			NumberOfComparisonResults: 1,
		}
	}
	if slo.Comparison.IncludeResultWithScore == "" {
		slo.Comparison.IncludeResultWithScore = "all"
	}
	if slo.Comparison.NumberOfComparisonResults == 0 {
		slo.Comparison.NumberOfComparisonResults = 3
	}
	if slo.Comparison.AggregateFunction == "" {
		slo.Comparison.AggregateFunction = "avg"
	}
	objectives := []*keptn.SLO{}
	for _, objective := range slo.Objectives {
		if objective == nil {
			continue
		}
		if objective.Weight == 0 {
			objective.Weight = 1
		}
		objectives = append(objectives, objective)
	}
	slo.Objectives = objectives
	return slo, nil
}

func decode(asked question) (decoded any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	switch asked.Kind {
	case "slo":
		return decodeSLO([]byte(asked.Text))
	case "shipyard":
		return keptnv2.DecodeShipyardYAML([]byte(asked.Text))
	default:
		return nil, fmt.Errorf("kind %q is neither slo nor shipyard", asked.Kind)
	}
}

func asLine(value any) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return line.Bytes(), err
}

func answer(asked question) []byte {
	decoded, err := decode(asked)
	if err == nil {
		var line []byte
		if line, err = asLine(decoded); err == nil {
			return line
		}
	}
	line, _ := asLine(map[string]string{"error": err.Error()})
	return line
}

func main() {
	log.SetFlags(0)
	questions := json.NewDecoder(bufio.NewReader(os.Stdin))
	for {
		var asked question
		if err := questions.Decode(&asked); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatalf("keptn-decode: standard input: %v", err)
		}
		if _, err := os.Stdout.Write(answer(asked)); err != nil {
			log.Fatalf("keptn-decode: standard output: %v", err)
		}
	}
}
