package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

func env() *cobra.Command {
	var data, shell string
	cmd := &cobra.Command{
		Use:   "env",
		Short: `Print the environment of intercept mode: eval "$(sekisho env)"`,
		Long: `Print the environment of intercept mode, for

  sh          eval "$(sekisho env)"
  fish        sekisho env --shell fish | source
  powershell  sekisho env --shell powershell | Out-String | Invoke-Expression
  jvm         eval "$(sekisho env --shell jvm)": JAVA_TOOL_OPTIONS with the proxy and a trust store
  json        one object
  github      nothing is printed: the steps that follow in a GitHub Actions job get it by $GITHUB_ENV`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, err := shellNamed(shell)
			if err != nil {
				return err
			}
			e, err := environmentOf(cmd.Context(), data)
			if err != nil {
				return err
			}
			vars, err := intercept(e)
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), e, vars)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	cmd.Flags().StringVar(&shell, "shell", "sh", "sh, fish, powershell, jvm, json or github")
	return cmd
}

// writer writes an environment the way that a shell reads it.
type writer func(io.Writer, platform.Environment, []variable) error

func shellNamed(name string) (writer, error) {
	switch name {
	case "sh":
		return lines("export %s=%s\n", quote), nil
	case "fish":
		return lines("set -gx %s %s\n", quoteFish), nil
	case "powershell":
		return lines("$env:%s = %s\n", quotePowerShell), nil
	case "jvm":
		return writeJVM, nil
	case "json":
		return writeJSON, nil
	case "github":
		return writeGitHub, nil
	}
	return nil, fmt.Errorf("--shell is %q, but must be sh, fish, powershell, jvm, json or github", name)
}

func lines(format string, quote func(string) string) writer {
	return func(w io.Writer, _ platform.Environment, vars []variable) error {
		for _, v := range vars {
			if _, err := fmt.Fprintf(w, format, v.name, quote(v.value)); err != nil {
				return err
			}
		}
		return nil
	}
}

func writeJSON(w io.Writer, _ platform.Environment, vars []variable) error {
	object := map[string]string{}
	for _, v := range vars {
		object[v.name] = v.value
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(object)
}

// writeGitHub appends to the file that a GitHub Actions runner reads after each
// step:
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#setting-an-environment-variable
func writeGitHub(_ io.Writer, _ platform.Environment, vars []variable) error {
	path := os.Getenv("GITHUB_ENV")
	if path == "" {
		return errors.New("GITHUB_ENV is not set: --shell github is for a step of a GitHub Actions job; elsewhere take --shell sh")
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, v := range vars {
		if strings.ContainsAny(v.value, "\r\n") {
			return errors.Join(fmt.Errorf("the value of %s has a line break, which would begin another variable", v.name), f.Close())
		}
		fmt.Fprintf(&text, "%s=%s\n", v.name, v.value)
	}
	_, err = f.WriteString(text.String())
	return errors.Join(err, f.Close())
}

// environmentOf asks the running instance how clients are pointed at it.
func environmentOf(ctx context.Context, data string) (platform.Environment, error) {
	client, err := platform.Connect(ctx, data)
	if err != nil {
		return platform.Environment{}, err
	}
	return client.Environment(ctx)
}

type variable struct{ name, value string }

// intercept is the environment of intercept mode: the proxy, and what makes
// clients trust its certificates. Nothing else of a client changes.
func intercept(e platform.Environment) ([]variable, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	proxy := "http://" + e.Proxy
	vars := []variable{
		{"HTTPS_PROXY", proxy},
		{"NO_PROXY", noProxy(os.Getenv("NO_PROXY"))},
		{"REQUESTS_CA_BUNDLE", e.Bundle}, // Python requests, az
		{"SSL_CERT_FILE", e.Bundle},      // Go, OpenSSL, Python httpx
		{"CURL_CA_BUNDLE", e.Bundle},
		{"NODE_EXTRA_CA_CERTS", e.CA},
		{"BROWSER", quote(self) + " browse %s"},
	}
	// A lower-case variable that is set would win over ours in most clients.
	for name, value := range map[string]string{"https_proxy": proxy, "no_proxy": vars[1].value} {
		if os.Getenv(name) != "" {
			vars = append(vars, variable{name, value})
		}
	}
	return vars, nil
}

// noProxy is what the user has, and this machine's own addresses. An entry for
// hosts of Azure is left out: a user's key must not reach the real one.
func noProxy(before string) string {
	hosts := []string{"localhost", "127.0.0.1", "::1", "169.254.169.254"}
	for host := range strings.SplitSeq(before, ",") {
		if host = strings.TrimSpace(host); host != "" && !platform.BypassesAzure(host) && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return strings.Join(hosts, ",")
}

// quote makes a word for a POSIX shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,@%+=") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// quoteFish: https://fishshell.com/docs/current/language.html#quotes
func quoteFish(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// quotePowerShell makes a verbatim string; PowerShell takes typographic quotes
// for quotes, too (about_Quoting_Rules).
func quotePowerShell(s string) string {
	double := strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛")
	return "'" + double.Replace(s) + "'"
}
