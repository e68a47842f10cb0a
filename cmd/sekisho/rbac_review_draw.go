package main

import (
	"cmp"
	"fmt"
	"strings"

	"sekisho/rbac"
	"sekisho/rbac/export"
	"sekisho/rbac/review"
)

// number is a count and what it counts, in the plural where it must be.
func number(n int, what string) string { return strings.TrimLeft(count(n, what), " ") }

func planeName(data bool) string {
	if data {
		return "data plane"
	}
	return "control plane"
}

// twigs are the branch and the stem of the i-th of n in a tree.
func twigs(i, n int) (branch, stem string) {
	if i == n-1 {
		return "└─ ", "   "
	}
	return "├─ ", "│  "
}

func drawWho(p *page, e *export.Export, w review.Who) {
	sure := 0
	for _, h := range w.Can {
		if !h.Conditional {
			sure++
		}
	}
	p.line(span(bold, tail(w.Action, p.width-18)), span(dim, "  "+planeName(w.Data)))
	p.line(span(dim, "at "), span("", tail(string(w.Scope), p.width-6)))
	p.line(span(green, fmt.Sprintf("%d can", sure)), span("", fmt.Sprintf("  %d if a condition holds  ", len(w.Can)-sure)), span(red, fmt.Sprintf("%d denied", len(w.Denied))))
	drawHolders(p, e, "CAN", w.Can)
	drawHolders(p, e, "DENIED, though a role allows", w.Denied)
}

func drawHolders(p *page, e *export.Export, title string, holders []review.Holder) {
	if len(holders) == 0 {
		return
	}
	p.blank()
	p.line(span(bold, title))
	for _, h := range holders {
		mark := span(green, "● ")
		switch {
		case strings.HasPrefix(title, "DENIED"):
			mark = span(red, "✗ ")
		case h.Conditional:
			mark = span(cyan, "◐ ")
		}
		p.between(mark, span("", e.NameOf(h.Principal)), span(dim, cmp.Or(e.Principals[strings.ToLower(h.Principal)].Type, h.Type)))
		for i, way := range h.Ways {
			branch, stem := twigs(i, len(h.Ways)+len(h.Denies))
			drawWay(p, e, branch, stem, way, "")
		}
		for i, d := range h.Denies {
			branch, stem := twigs(i, len(h.Denies))
			p.line(span(dim, branch), span(red, "denied by "+cmp.Or(d.Name, d.ID)), span(dim, " at "+tail(string(d.Scope), p.width/2)))
			if d.Condition != "" {
				p.branch(stem, span(dim, "if "+d.Condition))
			}
		}
	}
}

// drawWay draws an assignment: the role, where, by which groups, under what.
func drawWay(p *page, e *export.Export, branch, stem string, way review.Way, right string) {
	by := ""
	if len(way.Groups) > 0 {
		names := make([]string, len(way.Groups))
		for i, id := range way.Groups {
			names[i] = e.NameOf(id)
		}
		by = " by " + strings.Join(names, " › ")
	}
	where := span(dim, " at "+tail(string(way.Scope), max(p.width-cells(way.Role)-cells(by)-cells(right)-14, 20)))
	if right != "" {
		pieces := []piece{span("", branch), span(cyan, way.Role+" "), where}
		if by != "" {
			pieces = append(pieces, span("", strings.TrimSpace(by)))
		}
		p.between(append(pieces, span(dim, right))...)
	} else {
		p.line(span(dim, branch), span(cyan, way.Role), where, span("", by))
	}
	for _, c := range way.Conditions {
		p.branch(stem, span(dim, "if "+c))
	}
}

func drawWhat(p *page, e *export.Export, w review.What) {
	p.line(span(bold, e.NameOf(w.Principal)), span(dim, "  "+cmp.Or(e.Principals[strings.ToLower(w.Principal)].Type, w.Type)))
	p.line(span(dim, "at "), span("", tail(string(w.Scope), p.width-6)))
	p.blank()
	if len(w.Given) == 0 {
		p.line(span(red, "✗ "), span("", "no role assignment applies here, so nothing may be done"))
		return
	}
	p.between(span(bold, "BY"), span(dim, "operations of the catalogue"))
	for i, g := range w.Given {
		branch, stem := twigs(i, len(w.Given)+len(w.Denies))
		drawWay(p, e, branch, stem, g.Way, fmt.Sprint(g.Operations))
	}
	for i, d := range w.Denies {
		branch, _ := twigs(i, len(w.Denies))
		p.line(span(dim, branch), span(red, "denied by "+cmp.Or(d.Name, d.ID)), span(dim, " at "+tail(string(d.Scope), p.width/2)))
	}
	drawPatterns(p, "MAY DO", green, w.Allowed)
	drawPatterns(p, "MAY DO IF A CONDITION HOLDS", cyan, w.Conditional)
	drawPatterns(p, "DENIED", red, w.Denied)
}

// shownPatterns bounds what is drawn of a long list.
const shownPatterns = 24

func drawPatterns(p *page, title, color string, of review.Patterns) {
	if of.Empty() {
		return
	}
	p.blank()
	p.between(span(bold, title), span(dim, number(of.Count, "operation")))
	for _, list := range []struct {
		name     string
		patterns []string
		color    string
	}{{"actions", of.Actions, color}, {"  but not", of.NotActions, red}, {"data actions", of.DataActions, color}, {"  but not", of.NotDataActions, red}} {
		for i, pattern := range list.patterns {
			name := list.name
			if i > 0 {
				name = ""
			}
			if i == shownPatterns {
				p.line(span(dim, fmt.Sprintf("%-14s… and %d more: --json", "", len(list.patterns)-i)))
				break
			}
			p.line(span(dim, fmt.Sprintf("%-14s", name)), span(list.color, tail(pattern, p.width-16)))
		}
	}
}

func drawProviders(p *page, providers []review.Provider) {
	for _, provider := range providers {
		p.blank()
		p.between(span(bold, provider.Namespace), span(dim, number(len(provider.Operations), "operation")))
		for _, op := range provider.Operations {
			mark := span(green, "● ")
			if op.Conditional {
				mark = span(cyan, "◐ ")
			}
			right := ""
			if op.Data {
				right = "data"
			}
			p.between(mark, span("", tail(op.Name, p.width-6-cells(right))), span(dim, right))
		}
	}
}

func drawChanges(p *page, e *export.Export, changes []review.Change) {
	if len(changes) == 0 {
		p.line(span(dim, "nothing flips: nobody may do more or less than before"))
		return
	}
	for i := 0; i < len(changes); {
		// Those to whom the same happens are told of once.
		same := i + 1
		for same < len(changes) && alike(changes[i], changes[same]) {
			same++
		}
		if i > 0 {
			p.blank()
		}
		for _, c := range changes[i:same] {
			p.between(span(bold, e.NameOf(c.Principal)), span(dim, cmp.Or(e.Principals[strings.ToLower(c.Principal)].Type, c.Type)))
		}
		for j, f := range changes[i].Flips {
			branch, stem := twigs(j, len(changes[i].Flips))
			drawFlip(p, branch, stem, f)
		}
		i = same
	}
}

func alike(a, b review.Change) bool { return fmt.Sprint(a.Flips) == fmt.Sprint(b.Flips) }

func drawFlip(p *page, branch, stem string, f review.Flip) {
	at := "at "
	if f.Below {
		at = "below "
	}
	where := tail(string(f.Scope), p.width-12)
	if f.Scope == rbac.Root {
		where = "/ (everywhere)"
	}
	p.line(span(dim, branch+at), span("", where))
	told := false
	for _, of := range []struct {
		sign, color, what string
		patterns          review.Patterns
	}{{"+ ", green, "", f.Gained}, {"- ", red, "", f.Lost}, {"◐ ", cyan, " if a condition holds", f.Opened}, {"◐ ", red, " only if a condition holds", f.Narrowed}} {
		if of.patterns.Empty() {
			continue
		}
		told = true
		p.line(span(dim, stem), span(of.color, of.sign+number(of.patterns.Count, "operation")+of.what))
		for _, list := range []struct {
			before   string
			patterns []string
		}{{"", of.patterns.Actions}, {"but not ", of.patterns.NotActions}, {"data ", of.patterns.DataActions}, {"but not data ", of.patterns.NotDataActions}} {
			for i, pattern := range list.patterns {
				if i == shownPatterns {
					p.line(span(dim, stem+fmt.Sprintf("    … and %d more: --json", len(list.patterns)-i)))
					break
				}
				p.line(span(dim, stem+"    "+list.before), span("", tail(pattern, p.width-9-cells(list.before))))
			}
		}
	}
	if !told {
		p.line(span(dim, stem+"nothing flips here"))
	}
}
