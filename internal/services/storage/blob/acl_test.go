package blob

import (
	"strings"
	"testing"
)

const someone = "11111111-2222-3333-4444-555555555555"

func TestAccessListsAreReadAndCompleted(t *testing.T) {
	for _, tt := range []struct{ in, want, wrong string }{
		{"other::r-x,user::rwx,group::r--", "user::rwx,group::r--,other::r-x", ""},
		{"user::rwx,user:a:r-x,group::-w-,group:g:--x,other::---", "user::rwx,user:a:r-x,group::-w-,group:g:--x,mask::rwx,other::---", ""},
		{"user::rwx,user:a:rwx,group::r-x,mask::r--,other::---", "user::rwx,user:a:rwx,group::r-x,mask::r--,other::---", ""},
		{"user::rwx,group::r-x,other::---,default:user:a:rw-", "user::rwx,group::r-x,other::---,default:user::rwx,default:user:a:rw-,default:group::r-x,default:mask::rwx,default:other::---", ""},
		{"user::rwx,group::r-x", "", "other:: is missing"},
		{"user::rwx,user::r--,group::r-x,other::---", "", "twice"},
		{"user::rwx,group::r-x,other:a:---", "", "none of"},
		{"user::rwx,group::r-x,other::rw", "", "none of"},
		{"user::rwx,group::r-x,other", "", "form"},
		{"owner::rwx", "", "none of"},
		{"", "", "form"},
		{strings.TrimSuffix(strings.Repeat("user:x:rwx,", 1), ",") + "," + many(32), "", "at most"},
	} {
		list, err := ParseACL(tt.in)
		if err == nil {
			list, err = list.Complete(true)
		}
		switch {
		case tt.wrong != "":
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s: %v, want %q", tt.in, err, tt.wrong)
			}
		case err != nil || list.String() != tt.want:
			t.Errorf("%s: %s, %v", tt.in, list, err)
		}
	}
}

// many is a list with so many users.
func many(n int) string {
	text := "user::rwx,group::r-x,other::---"
	for i := range n {
		text += ",user:u" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + ":r--"
	}
	return text
}

func TestModes(t *testing.T) {
	for in, want := range map[string]string{"0750": "rwxr-x---", "750": "rwxr-x---", "1777": "rwxrwxrwt", "1770": "rwxrwx--T", "rw-r-----": "rw-r-----",
		"rwxrwxrwt": "rwxrwxrwt", "rwxrwxrwT": "rwxrwxrwT", "rwxr-x---+": "rwxr-x---", "0": "---------"} {
		if m, err := ParseMode(in); err != nil || m.String() != want {
			t.Errorf("%s: %s, %v", in, m, err)
		}
	}
	for _, in := range []string{"", "8", "0778", "2777", "07777", "rwx", "rwxrwxrwz", "-750", "0x1f"} {
		if m, err := ParseMode(in); err == nil {
			t.Errorf("%q is read as %s", in, m)
		}
	}
}

func TestWhatIsMadeInADirectoryInherits(t *testing.T) {
	mode := func(text string) *Mode { m, _ := ParseMode(text); return &m }
	list := func(text string) ACL { l, err := ParseACL(text); must(t, err); return l }
	const defaults = "user::rwx,group::r-x,other::---,default:user::rwx,default:user:" + someone + ":rwx,default:group::r-x,default:mask::rwx,default:other::r-x"
	for _, tt := range []struct {
		name, parent string
		directory    bool
		asked        Making
		want, shown  string
	}{
		{"a directory", "", true, Making{}, "user::rwx,group::r-x,other::---", "rwxr-x---"},
		{"a file", "", false, Making{}, "user::rw-,group::r--,other::---", "rw-r-----"},
		{"permissions under the umask", "", false, Making{Mode: mode("0777")}, "user::rwx,group::r-x,other::---", "rwxr-x---"},
		{"another umask", "", true, Making{Umask: mode("0000")}, "user::rwx,group::rwx,other::rwx", "rwxrwxrwx"},
		{"a file below defaults", defaults, false, Making{}, "user::rw-,user:" + someone + ":rwx,group::r-x,mask::rw-,other::r--", "rw-rw-r--+"},
		{"permissions below defaults, whatever the umask", defaults, false, Making{Mode: mode("0700"), Umask: mode("0777")}, "user::rwx,user:" + someone + ":rwx,group::r-x,mask::---,other::---", "rwx------+"},
		{"a directory below defaults", defaults, true, Making{}, "user::rwx,user:" + someone + ":rwx,group::r-x,mask::rwx,other::r-x,default:user::rwx,default:user:" + someone + ":rwx,default:group::r-x,default:mask::rwx,default:other::r-x", "rwxrwxr-x+"},
		{"a list of its own", defaults, false, Making{ACL: list("user::r--,group::---,other::---")}, "user::r--,group::---,other::---", "r--------"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parent := RootAccess("root")
			if tt.parent != "" {
				parent.ACL = list(tt.parent)
			}
			got := parent.inherit("maker", tt.directory, tt.asked)
			if got.ACL.String() != tt.want || got.Permissions() != tt.shown || got.Owner != "maker" || got.Group != "root" {
				t.Errorf("%+v %s, want %s %s", got, got.Permissions(), tt.want, tt.shown)
			}
			if parent.ACL.String() != list(parent.ACL.String()).String() || tt.parent != "" && parent.ACL.String() != tt.parent {
				t.Errorf("the directory's own is %s now", parent.ACL)
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzACL(f *testing.F) {
	for _, seed := range []string{"user::rwx,group::r-x,other::---", "default:user:a:rwx", "mask::rwx", ":::", "user::rwx,,", many(40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseACL(text)
		if err != nil {
			return
		}
		if again, err := ParseACL(list.String()); err != nil || again.String() != list.String() {
			t.Fatalf("%q is %q, and then %q, %v", text, list, again, err)
		}
		whole, err := list.Complete(true)
		if err != nil {
			return
		}
		if again, err := whole.Complete(true); err != nil || again.String() != whole.String() {
			t.Fatalf("%q is not complete: %q, %v", whole, again, err)
		}
	})
}

func FuzzMode(f *testing.F) {
	for _, seed := range []string{"0750", "1777", "rwxr-x---", "rwxrwxrwT+", "9", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMode(text)
		if err != nil {
			return
		}
		if again, err := ParseMode(m.String()); err != nil || again != m {
			t.Fatalf("%q is %s, and then %s, %v", text, m, again, err)
		}
	})
}
