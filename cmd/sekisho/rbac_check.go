package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sekisho/internal/answer"
	"sekisho/internal/ask"
	"sekisho/rbac"
)

// With --exit-code a refusal ends the process with one of these; 1 says that
// there was no answer.
const (
	exitNotAllowed exitStatus = 2
	exitDenied     exitStatus = 3
)

// question is what check and explain ask, from their arguments and flags.
type question struct {
	from     *source
	in       ask.Query
	data     bool
	asJSON   bool
	exitCode bool
}

func questionFlags(cmd *cobra.Command) *question {
	q := &question{from: sourceFlags(cmd)}
	f := cmd.Flags()
	f.BoolVar(&q.data, "data-action", false, "ask for a data action (default: what the catalogue of operations says that ACTION is)")
	f.StringVar(&q.in.SubOperation, "sub-operation", "", "suboperation that conditions see, such as Blob.List")
	f.StringArrayVar(&q.in.Attributes, "attribute", nil, "attribute that conditions see, as 'Resource:name=value'; repeatable")
	f.StringArrayVar(&q.in.Groups, "group", nil, "one more group of the principal, by object id or name; repeatable")
	f.BoolVar(&q.asJSON, "json", false, "one JSON object")
	f.BoolVar(&q.exitCode, "exit-code", false, "end with 0 if allowed, 2 if not allowed, 3 if denied")
	return q
}

func (q *question) world(cmd *cobra.Command) (*ask.World, error) {
	e, err := openRBAC(cmd, q.from.dir, q.from.data)
	if err != nil {
		return nil, err
	}
	return ask.New(e), nil
}

func (q *question) read(cmd *cobra.Command, w *ask.World, args []string) (rbac.Question, error) {
	q.in.Principal, q.in.Action, q.in.Scope = args[0], args[1], args[2]
	if cmd.Flags().Changed("data-action") {
		q.in.Data = &q.data
	}
	return w.Question(q.in)
}

// tell prints an answer by draw, or as JSON.
func (q *question) tell(out io.Writer, a answer.Answer, draw func(*page, answer.Answer)) error {
	if q.asJSON {
		if err := printJSON(out, a); err != nil {
			return err
		}
	} else {
		p := pageFor(out)
		draw(p, a)
		if _, err := io.WriteString(out, p.text.String()); err != nil {
			return err
		}
	}
	switch {
	case q.exitCode && a.Decision == rbac.Denied.String():
		return exitDenied
	case q.exitCode && a.Decision != rbac.Allowed.String():
		return exitNotAllowed
	}
	return nil
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func rbacCheck() *cobra.Command {
	var batch string
	var why bool
	cmd := &cobra.Command{
		Use:   "check PRINCIPAL ACTION SCOPE",
		Short: "Decide a question: Allowed, NotAllowed or Denied",
		Long: `Decide a question: Allowed, NotAllowed or Denied.

PRINCIPAL is an object id, or a user principal name, display name or application
id that only one principal has. A deny assignment that matches denies, whether
or not a role would allow.

--attribute says what conditions see of the request, with the name as a
condition writes it:

  'Resource:Microsoft.Storage/storageAccounts/blobServices/containers:name=docs'

A value is true, false, a whole number, a list in JSON or a text; a text that
looks like one of the others goes in double quotes.

--batch reads one question a line, in JSON, and prints one answer a line, in
order:

  {"principal": OBJECT-ID, "action": ACTION, "dataAction": false,
   "scope": SCOPE, "attributes": {"Resource": {NAME: VALUE}, "Request": {},
   "Environment": {}, "Principal": {}}, "subOperation": NAME}
  {"decision": "Allowed", "assignment": ID, "role": NAME}

attributes and subOperation may be left out. A line that is no question is
answered {"error": "line N: ..."}, and the exit status is 1 in the end.`,
		Example: `  sekisho rbac check ann@contoso.com Microsoft.Search/searchServices/read /subscriptions/5b…/resourceGroups/rg
  sekisho rbac check --export tenant/ --batch questions.jsonl > answers.jsonl`,
		Args: func(cmd *cobra.Command, args []string) error {
			if batch != "" {
				return cobra.NoArgs(cmd, args)
			}
			return arguments("PRINCIPAL", "ACTION", "SCOPE")(cmd, args)
		},
	}
	q := questionFlags(cmd)
	cmd.Flags().StringVar(&batch, "batch", "", "file with one question a line, - for standard input")
	cmd.Flags().BoolVar(&why, "why", false, "with --batch: let refusals say why, which takes longer")
	for _, single := range []string{"data-action", "sub-operation", "attribute", "group", "exit-code"} {
		cmd.MarkFlagsMutuallyExclusive("batch", single)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		w, err := q.world(cmd)
		if err != nil {
			return err
		}
		if batch != "" {
			return runBatch(cmd, w, batch, why)
		}
		asked, err := q.read(cmd, w, args)
		if err != nil {
			return err
		}
		return q.tell(cmd.OutOrStdout(), w.Check(asked), drawCheck)
	}
	return cmd
}

func runBatch(cmd *cobra.Command, w *ask.World, name string, why bool) error {
	in := cmd.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	result, err := w.Batch(in, cmd.OutOrStdout(), why)
	if err != nil {
		return err
	}
	if result.Malformed > 0 {
		return fmt.Errorf("%d of %d lines are no questions", result.Malformed, result.Lines)
	}
	return nil
}

func rbacExplain() *cobra.Command {
	var misses int
	cmd := &cobra.Command{
		Use:   "explain PRINCIPAL ACTION SCOPE",
		Short: "Tell what allows, or what a refusal lacked and would mend it",
		Long: `Tell what allows, or by how little nothing does and what would mend it.

What allows is a role assignment of the principal or of a group that it is in. Of
a refusal the nearest misses are told, each with what it lacked, and the smallest
roles that would allow exactly this. See sekisho rbac check for the arguments.`,
		Args: arguments("PRINCIPAL", "ACTION", "SCOPE"),
	}
	q := questionFlags(cmd)
	cmd.Flags().IntVar(&misses, "misses", 5, "how many of the nearest misses to tell of, 0 for all")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if misses < 0 {
			return errors.New("--misses cannot be negative")
		}
		w, err := q.world(cmd)
		if err != nil {
			return err
		}
		asked, err := q.read(cmd, w, args)
		if err != nil {
			return err
		}
		return q.tell(cmd.OutOrStdout(), w.Explain(asked, misses), drawExplanation)
	}
	return cmd
}

func rbacAssert() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "assert FILE",
		Short: "Check a file of what principals can and cannot do; for CI",
		Long: `Check a file of what principals can and cannot do; for CI.

FILE, or - for standard input, has a line for each:

  # who may chat, and who may not delete
  can    ann@contoso.com Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action /subscriptions/5b…
  cannot "Readers of manuals" Microsoft.CognitiveServices/accounts/delete /subscriptions/5b… dataAction=false

After the scope may stand dataAction=true or dataAction=false, subOperation=NAME, group=NAME
and Source:attribute=value, the last two more than once. A word with spaces goes
in quotes.

--template adds the role assignments of an ARM template in JSON, as bicep build
writes it, before the assertions are checked. The exit status is 2 if an
assertion does not hold, and 1 if they cannot be checked.`,
		Args: arguments("FILE"),
	}
	from := sourceFlags(cmd)
	added := templateFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		e, err := openRBAC(cmd, from.dir, from.data)
		if err != nil {
			return err
		}
		if err := added.addTo(e); err != nil {
			return err
		}
		in := cmd.InOrStdin()
		if args[0] != "-" {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			in = f
		}
		w := ask.New(e)
		assertions, err := w.Assertions(bufio.NewReader(in))
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		if len(assertions) == 0 {
			return fmt.Errorf("%s has no assertions", args[0])
		}
		return tellOutcomes(cmd.OutOrStdout(), args[0], w, assertions, asJSON)
	}
	return cmd
}

const exitAssertion exitStatus = 2

func tellOutcomes(out io.Writer, name string, w *ask.World, assertions []ask.Assertion, asJSON bool) error {
	failed := []ask.Outcome{}
	for _, a := range assertions {
		if o := w.Assert(a); !o.OK {
			failed = append(failed, o)
		}
	}
	var err error
	if asJSON {
		err = printJSON(out, map[string]any{"checked": len(assertions), "failed": failed})
	} else {
		p := pageFor(out)
		drawOutcomes(p, name, len(assertions), failed)
		_, err = io.WriteString(out, p.text.String())
	}
	if err == nil && len(failed) > 0 {
		return exitAssertion
	}
	return err
}
