package condition

import (
	"testing"

	"pgregory.net/rapid"
)

func TestCertainHoldsOfEveryRequestThatAgrees(t *testing.T) {
	results := map[Result]int{}
	rapid.Check(t, func(t *rapid.T) {
		c, err := Parse(write(t, drawTree(t, 3)))
		if err != nil {
			t.Fatal(err)
		}
		known := drawWorld(t)
		in := Input{Action: known.action, SubOperation: known.sub}
		if rapid.Bool().Draw(t, "attributes are known") {
			in.Attribute = known.input().Attribute
		}
		got := c.Certain(in)
		results[got]++
		for range 5 {
			w := drawWorld(t)
			w.action = known.action
			if known.sub != "" {
				w.sub = known.sub
			}
			if in.Attribute != nil {
				for name, v := range known.attributes {
					w.attributes[name] = v
				}
			}
			if holds := c.Holds(w.input()); got == True && !holds || got == False && holds {
				t.Fatalf("%s\nis certain to be %v of %+v, and of %+v holds: %v", c, got, known, w, holds)
			}
		}
	})
	for r := False; r <= True; r++ {
		if results[r] < 10 {
			t.Errorf("%v came out %d times: the worlds say little", r, results[r])
		}
	}
}

func TestCertain(t *testing.T) {
	const read, write = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
	const listable = "(!(ActionMatches{'" + read + "'} AND NOT SubOperationMatches{'Blob.List'}) OR @Resource[a:name] StringEquals 'x')"
	tests := []struct {
		name, condition string
		in              Input
		want            Result
	}{
		{"another action", listable, Input{Action: write}, True},
		{"the action, by an unknown suboperation", listable, Input{Action: read}, Undecided},
		{"the suboperation that is let through", listable, Input{Action: read, SubOperation: "Blob.List"}, True},
		{"an absent attribute is unknown", "NOT Exists @Request[a:b]", Input{Action: read}, Undecided},
		{"an OR of what is known and what is not", "ActionMatches{'*'} OR Exists @Request[a:b]", Input{Action: read}, True},
		{"an AND that can't be", "ActionMatches{'none'} AND Exists @Request[a:b]", Input{Action: read}, False},
		{"values on both sides", "{1} ForAnyOfAnyValues:NumericEquals {2}", Input{Action: read}, False},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Parse(tt.condition)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Certain(tt.in); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
