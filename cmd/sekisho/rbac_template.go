package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sekisho/rbac/export"
)

// templates are the templates whose role assignments a verb takes for made.
type templates struct {
	files      []string
	at         export.Deployment
	file       string
	parameters []string
}

func templateFlags(cmd *cobra.Command) *templates {
	t := new(templates)
	f := cmd.Flags()
	f.StringArrayVar(&t.files, "template", nil, "ARM template in JSON whose role assignments count too; repeatable")
	f.StringVar(&t.at.Subscription, "subscription", "", "subscription that the template is deployed to")
	f.StringVar(&t.at.ResourceGroup, "resource-group", "", "resource group that the template is deployed to")
	f.StringVar(&t.at.ManagementGroup, "management-group", "", "management group that the template is deployed to")
	f.StringVar(&t.file, "parameters", "", "parameter file of the template, in JSON")
	f.StringArrayVar(&t.parameters, "parameter", nil, "parameter of the template, as NAME=VALUE, the value a text or JSON; repeatable")
	return t
}

func (t *templates) addTo(e *export.Export) error {
	if len(t.files) == 0 {
		if t.at.Subscription != "" || t.at.ResourceGroup != "" || t.at.ManagementGroup != "" || t.file != "" || len(t.parameters) > 0 {
			return errors.New("what a template is deployed to and with is given, and no --template")
		}
		return nil
	}
	if err := t.read(); err != nil {
		return err
	}
	for _, name := range t.files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := e.AddTemplate(raw, t.at); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// read reads the parameters: those of flags come before those of the file.
func (t *templates) read() error {
	t.at.Parameters = map[string]any{}
	if t.file != "" {
		raw, err := os.ReadFile(t.file)
		if err != nil {
			return err
		}
		var in struct {
			Parameters map[string]struct {
				Value any `json:"value"`
			} `json:"parameters"`
		}
		if err := json.Unmarshal(raw, &in); err != nil {
			return fmt.Errorf("%s: %w", t.file, err)
		}
		for name, p := range in.Parameters {
			t.at.Parameters[strings.ToLower(name)] = p.Value
		}
	}
	for _, text := range t.parameters {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return fmt.Errorf("--parameter %q is not written NAME=VALUE", text)
		}
		var v any
		if json.Unmarshal([]byte(value), &v) != nil {
			v = value
		}
		t.at.Parameters[strings.ToLower(name)] = v
	}
	return nil
}
