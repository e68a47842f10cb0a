package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"sekisho/internal/answer"
	"sekisho/internal/ask"
	"sekisho/rbac"
)

// label is as wide as the longest name of a row.
const label = "%-12s"

// row writes a name and what it is.
func (p *page) row(name string, pieces ...piece) {
	p.line(append([]piece{span(dim, fmt.Sprintf(label, name))}, pieces...)...)
}

func decisionPiece(decision string) piece {
	if decision == rbac.Allowed.String() {
		return span(green, "● "+decision)
	}
	return span(red, "✗ "+decision)
}

func drawCheck(p *page, a answer.Answer) {
	p.line(decisionPiece(a.Decision), span("", "  "), span(bold, who(a.PrincipalName, a.Principal)))
	drawQuestion(p, a)
	switch {
	case a.Grant != nil:
		drawGrant(p, *a.Grant, a.Principal)
	case a.Deny != "":
		drawDeny(p, a)
	case a.Why != "":
		p.hanging("why", a.Why)
	}
	if a.Note != "" {
		p.hanging("note", a.Note)
	}
}

// drawQuestion draws what was asked.
func drawQuestion(p *page, a answer.Answer) {
	plane := "control plane"
	if a.Data {
		plane = "data plane"
	}
	p.row("action", span("", tail(a.Action, p.width-2-12-2-len(plane))), span(dim, "  "+plane))
	p.row("scope", span("", tail(a.Scope, p.width-2-12)))
}

func drawGrant(p *page, g answer.Grant, principal string) {
	p.row("by role", span(cyan, g.Role))
	p.row("assigned at", span("", tail(g.AssignedAt, p.width-2-12)))
	if !strings.EqualFold(g.AssignedTo, principal) {
		p.row("to", span("", kindOf(g.AssignedToType)+who(g.AssignedToName, g.AssignedTo)))
	}
	if g.Condition != "" {
		p.hanging("condition", g.Condition)
	}
	p.row("assignment", span(dim, tail(g.Assignment, p.width-2-12)))
}

func drawDeny(p *page, a answer.Answer) {
	p.row("denied by", span(red, cmp.Or(a.DenyName, a.Deny)))
	p.row("assignment", span(dim, tail(a.Deny, p.width-2-12)))
}

// hanging is a row whose words go on below themselves.
func (p *page) hanging(name, text string) {
	sub := &page{width: p.width, color: p.color}
	sub.paragraph(strings.Repeat(" ", 12), span("", text))
	first := strings.Replace(sub.text.String(), strings.Repeat(" ", 13), " ", 1)
	rest, _ := strings.CutPrefix(first, " ")
	head := &page{width: p.width, color: p.color}
	head.row(name)
	p.text.WriteString(strings.TrimSuffix(head.text.String(), "\n") + rest)
}

func who(name, id string) string {
	if name == "" || name == id {
		return id
	}
	return name
}

func kindOf(principalType string) string {
	switch principalType {
	case "Group":
		return "the group "
	case "ServicePrincipal":
		return "the service principal "
	}
	return ""
}

func drawExplanation(p *page, a answer.Answer) {
	if len(a.Misses) > 0 {
		a.Why = "" // the misses say it
	}
	drawCheck(p, a)
	if a.Decision == rbac.Allowed.String() {
		return
	}
	if len(a.Misses) > 0 {
		p.blank()
		title := "NEAREST MISSES"
		if a.Deny != "" {
			title = "BESIDES THE DENIAL"
		}
		p.line(span(bold, title))
		drawMisses(p, a)
	}
	if a.Suggestion != nil {
		p.blank()
		drawSuggestion(p, *a.Suggestion)
	}
}

// lacks names the kinds of misses in a word or two.
var lacks = map[rbac.MissKind]string{
	rbac.ConditionFalse: "condition not true", rbac.OutOfTime: "out of time", rbac.NotBuiltIn: "custom role",
	rbac.OtherScope: "other scope", rbac.OtherPlane: "other plane", rbac.TakenAway: "taken away", rbac.NotMember: "not a member", rbac.OnlyDenied: "allows but for the denial",
}

func drawMisses(p *page, a answer.Answer) {
	for i, m := range a.Misses {
		branch, stem := "├─ ", "│  "
		if i == len(a.Misses)-1 && a.MoreMisses == 0 {
			branch, stem = "└─ ", "   "
		}
		p.between(span(dim, branch), span(cyan, m.Role), span(dim, lacks[m.Kind]))
		p.branch(stem, span("", "at "+tail(m.AssignedAt, p.width-10)))
		if !strings.EqualFold(m.AssignedTo, a.Principal) {
			p.branch(stem, span("", "to "+kindOf(cmp.Or(m.AssignedToType, "Group"))+who(m.AssignedToName, m.AssignedTo)))
		}
		if m.Kind == rbac.NotMember || m.Kind == rbac.OnlyDenied { // the words above say it
			continue
		}
		if len(m.Steps) == 0 {
			p.branch(stem, span(red, m.Lacked))
		}
		for _, s := range m.Steps {
			p.branch(stem, span(red, "· "+s))
		}
	}
	if a.MoreMisses > 0 {
		p.line(span(dim, fmt.Sprintf("└─ and %d more: --misses 0", a.MoreMisses)))
	}
}

// branch is a paragraph beside the stem of a tree.
func (p *page) branch(stem string, s piece) {
	sub := &page{width: p.width - cells(stem), color: p.color}
	sub.paragraph("", s)
	for text := range strings.Lines(sub.text.String()) {
		head := &page{width: p.width, color: p.color}
		head.line(span(dim, stem))
		p.text.WriteString(strings.TrimSuffix(head.text.String(), "\n") + strings.TrimPrefix(text, " "))
	}
}

func drawSuggestion(p *page, s answer.Suggestion) {
	p.line(span(bold, "WOULD ALLOW IT"), span(dim, ", assigned at the scope or above"))
	switch {
	case s.BuiltIn == "":
		p.row("built-in", span(dim, "none of the built-in roles"))
	default:
		p.row("built-in", span(cyan, s.BuiltIn), span(dim, "  the smallest: "+number(s.Operations, "operation")))
	}
	if s.Usual != "" {
		p.row("", span(cyan, s.Usual), span(dim, "  the usual one"))
	}
	if s.Custom == nil {
		if s.CustomNote != "" {
			p.hanging("custom", s.CustomNote)
		}
		return
	}
	note := ""
	if s.CustomNote != "" {
		note = "; " + s.CustomNote
	}
	p.hanging("custom", "the smallest, for az role definition create --role-definition"+note+":")
	raw, err := json.MarshalIndent(s.Custom, "", "  ")
	if err != nil {
		return
	}
	// To be copied: it is not cut.
	for text := range strings.Lines(string(raw)) {
		p.text.WriteString(" " + span("", strings.TrimSuffix(text, "\n")).text + "\n")
	}
}

func drawOutcomes(p *page, name string, checked int, failed []ask.Outcome) {
	for _, o := range failed {
		p.line(span(red, "✗ "), span(bold, fmt.Sprintf("%s:%d", name, o.Line)))
		stem := "  "
		words := strings.Fields(o.Text)
		for i := range words {
			words[i] = tail(words[i], p.width-6)
		}
		p.branch(stem, span("", strings.Join(words, " ")))
		switch a := o.Answer; {
		case a.Grant != nil:
			at := fmt.Sprintf("is allowed by %s at %s", a.Role, tail(a.AssignedAt, p.width-6))
			if !strings.EqualFold(a.AssignedTo, a.Principal) {
				at += ", assigned to " + kindOf(a.AssignedToType) + who(a.AssignedToName, a.AssignedTo)
			}
			p.branch(stem, span("", at))
			if a.Condition != "" {
				p.branch(stem, span(dim, "under "+a.Condition))
			}
		default:
			if len(a.Misses) == 0 || a.Deny != "" {
				p.branch(stem, span("", "is "+a.Decision+": "+a.Why))
			} else {
				p.line(span("", stem+"is "+a.Decision+"; nearest:"))
				drawMisses(p, *a)
			}
			if s := a.Suggestion; s != nil && cmp.Or(s.Usual, s.BuiltIn) != "" {
				p.line(span("", stem), span(dim, "would allow it: "), span(cyan, cmp.Or(s.Usual, s.BuiltIn)))
			}
		}
		p.blank()
	}
	if len(failed) == 0 {
		p.line(span(green, "● "), span("", fmt.Sprintf("%s: %d of %d hold", name, checked, checked)))
		return
	}
	p.line(span(red, "✗ "), span("", fmt.Sprintf("%s: %d of %d do not hold", name, len(failed), checked)))
}
