package openai

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

// throughput is the input tokens a minute that one provisioned throughput unit
// gives. Source: azure-ai-docs openai/how-to/provisioned-throughput-onboarding.md,
// "Input TPM per PTU". A model that is not in that table has no limit here.
var throughput = map[string]int{
	"gpt-4o": 2500, "gpt-4o-mini": 37000, "gpt-4.1": 3000, "gpt-4.1-mini": 14900, "gpt-4.1-nano": 59400,
}

// outputWeight is what a completion token takes of the input tokens (the same
// table's output-to-input ratio, which is 4 for all of the models above).
const outputWeight = 4

// longestThrottle is the longest wait that clients obey (openai-node client.ts).
const longestThrottle = time.Minute

// bucket leaks at the rate of the deployed units. Calls are refused while it
// is full; one that is admitted may overfill it.
// Source: azure-ai-docs openai/concepts/provisioned-throughput.md, "How
// utilization enforcement works". How much it holds is not published: here, a
// minute of the deployment's throughput.
type bucket struct {
	level float64 // weighted tokens
	at    time.Time
}

func (b *bucket) admit(now time.Time, units int, model string, c cost) (http.Header, *overLimit) {
	perUnit, ok := throughput[strings.ToLower(model)]
	if !ok {
		return http.Header{}, nil
	}
	size := float64(units * perUnit)
	perSecond := size / time.Minute.Seconds()
	if elapsed := now.Sub(b.at).Seconds(); elapsed > 0 {
		b.level = max(0, b.level-elapsed*perSecond)
	}
	b.at = now
	var over *overLimit
	if b.level >= size {
		wait := time.Duration(math.Ceil((b.level-size)/perSecond*1000)+1) * time.Millisecond
		over = &overLimit{"utilization", min(wait, longestThrottle)}
	} else {
		b.level += weighted(c)
	}
	h := http.Header{}
	h.Set("azure-openai-deployment-utilization", fmt.Sprintf("%.1f%%", b.level/size*100))
	return h, over
}

func (b *bucket) settle(model string, estimated, actual cost) {
	if _, ok := throughput[strings.ToLower(model)]; ok {
		b.level = max(0, b.level+weighted(actual)-weighted(estimated))
	}
}

func weighted(c cost) float64 { return float64(c.prompt + outputWeight*c.completion) }
