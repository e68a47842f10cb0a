package openai

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"sekisho/internal/api"
	"sekisho/internal/model"
)

// Filter is the content filter: a list of rules, a moderation service, or
// both. Its results name only what really judged.
// Source: azure-ai-docs openai/concepts/content-filter.md, content-filter-annotations.md.
type Filter struct {
	block      bool
	rules      []*regexp.Regexp
	moderation Moderation
}

// Moderation judges texts; *model.Moderation does.
type Moderation interface {
	Judge(ctx context.Context, texts []string) ([]model.Judgement, error)
}

// NewFilter reads rules: a word, which stands for itself in any case, or a
// /regular expression/. moderation may be nil. Without block, results are
// shown and nothing is refused.
func NewFilter(block bool, rules []string, moderation Moderation) (*Filter, error) {
	f := &Filter{block: block, moderation: moderation}
	for i, rule := range rules {
		expression, err := compile(rule)
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i, err)
		}
		f.rules = append(f.rules, expression)
	}
	return f, nil
}

func compile(rule string) (*regexp.Regexp, error) {
	if len(rule) > 2 && rule[0] == '/' && rule[len(rule)-1] == '/' {
		return regexp.Compile(rule[1 : len(rule)-1])
	}
	if strings.TrimSpace(rule) == "" {
		return nil, fmt.Errorf("it is empty")
	}
	text := regexp.QuoteMeta(rule)
	// A word of Latin letters is not found within another; scripts that do not
	// part their words have no such bounds.
	if first, _ := utf8.DecodeRuneInString(rule); isWord(first) {
		text = `\b` + text
	}
	if last, _ := utf8.DecodeLastRuneInString(rule); isWord(last) {
		text += `\b`
	}
	return regexp.Compile("(?i)" + text)
}

func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// verdict is what the filter says of one text.
type verdict struct {
	results map[string]any // content_filter_results
	blocked bool
}

// blocklistID is the name that the configuration's rules have in results.
const blocklistID = "blocklist"

// judge says what is in texts, one verdict for each. A moderation that does
// not answer leaves the error that Azure shows in its place, unless the filter
// has to block: then nothing passes unjudged.
func (f *Filter) judge(ctx context.Context, texts []string) ([]verdict, error) {
	verdicts := make([]verdict, len(texts))
	for i, text := range texts {
		v := verdict{results: map[string]any{}}
		if len(f.rules) > 0 {
			v.results["custom_blocklists"] = f.byRules(text, &v)
		}
		verdicts[i] = v
	}
	if f.moderation == nil || len(texts) == 0 {
		return verdicts, nil
	}
	judgements, err := f.moderation.Judge(ctx, texts)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && f.block:
		return nil, api.Errorf(http.StatusServiceUnavailable, "ServiceUnavailable", "The moderation service of the content filter does not answer.")
	case err != nil:
		for i := range verdicts {
			verdicts[i].results["error"] = map[string]any{"code": "content_filter_error", "message": "The contents are not filtered"}
		}
		return verdicts, nil
	}
	for i, j := range judgements {
		f.bySeverity(j, &verdicts[i])
	}
	return verdicts, nil
}

// byRules is custom_blocklists, as api-version 2024-10-21 has it.
func (f *Filter) byRules(text string, v *verdict) map[string]any {
	details := []any{}
	for _, rule := range f.rules {
		if rule.MatchString(text) {
			v.blocked = f.block
			details = append(details, map[string]any{"filtered": f.block, "id": blocklistID})
			break
		}
	}
	return map[string]any{"filtered": v.blocked, "details": details}
}

// harms are Azure's categories, and the prefix that theirs have in moderations
// (violence and violence/graphic).
var harms = map[string]string{"hate": "hate", "self_harm": "self-harm", "sexual": "sexual", "violence": "violence"}

func (f *Filter) bySeverity(j model.Judgement, v *verdict) {
	for ours, theirs := range harms {
		flagged, score := false, 0.0
		for category, is := range j.Flagged {
			if category == theirs || strings.HasPrefix(category, theirs+"/") {
				flagged = flagged || is
				score = max(score, j.Scores[category])
			}
		}
		filtered := flagged && f.block
		v.blocked = v.blocked || filtered
		v.results[ours] = map[string]any{"filtered": filtered, "severity": severity(flagged, score)}
	}
}

// severity puts a score on Azure's scale. What the moderation flags is what
// Azure filters by default, medium and above.
func severity(flagged bool, score float64) string {
	switch {
	case flagged && score >= 0.9:
		return "high"
	case flagged:
		return "medium"
	case score >= 0.2:
		return "low"
	}
	return "safe"
}

// prompts judges what a call asks. It gives prompt_filter_results, nil if
// nothing is judged.
func (f *Filter) prompts(ctx context.Context, op model.Operation, in request) ([]any, error) {
	if f == nil || op == model.Embeddings { // Azure filters no embeddings
		return nil, nil
	}
	texts := make([]string, len(in.texts))
	for i, prompt := range in.texts {
		texts[i] = strings.Join(prompt, "\n")
	}
	verdicts, err := f.judge(ctx, texts)
	if err != nil {
		return nil, err
	}
	results := []any{}
	for i, v := range verdicts {
		if v.blocked {
			return nil, &filtered{api.BadRequest("content_filter", "prompt", "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766"), v.results}
		}
		results = append(results, map[string]any{"prompt_index": i, "content_filter_results": v.results})
	}
	return results, nil
}

// filtered is the error of a prompt that the filter blocks.
type filtered struct {
	refused *api.Error
	results map[string]any
}

func (e *filtered) Error() string { return e.refused.Error() }
func (e *filtered) Unwrap() error { return e.refused }

// body is the error in Azure's shape: Source: azure-ai-docs openai/how-to/use-blocklists.md. Its
// content_filter_result has no plural, unlike that of a success.
func (e *filtered) body() map[string]any {
	return map[string]any{"message": e.refused.Message, "type": nil, "param": e.refused.Target, "code": e.refused.Code, "status": e.refused.Status,
		"innererror": map[string]any{"code": "ResponsibleAIPolicyViolation", "content_filter_result": e.results}}
}
