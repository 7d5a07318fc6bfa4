package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	// systemLists is where apt keeps what it knows of the mirrors' packages.
	systemLists = "/var/lib/apt/lists"
	// dpkgStatus changes with what is installed.
	dpkgStatus = "/var/lib/dpkg/status"
)

// apt is apt-get with options.
type apt []string

// aptOptions serve all calls: no privileges are dropped, so that apt may write
// into our cache, and a mirror that does not answer fails within seconds.
var aptOptions = apt{"-q", "-o", "APT::Sandbox::User=", "-o", "Acquire::http::Timeout=15", "-o", "Acquire::https::Timeout=15", "-o", "Acquire::Retries=1"}

func (a apt) command(args ...string) *exec.Cmd {
	cmd := exec.Command("apt-get", slices.Concat(a, args)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	return cmd
}

// machineLists uses what the machine knows.
func machineLists(string) (apt, error) {
	if lists, _ := filepath.Glob(filepath.Join(systemLists, "*_Packages*")); len(lists) == 0 {
		return nil, fmt.Errorf("%w: apt's lists are empty", errNoPackages)
	}
	return aptOptions, nil
}

// privateLists fetches lists into the cache: on a fresh machine its own are
// empty, on an old one they lead to files that are gone, and to update them
// would be to change the machine.
func privateLists(base string) (apt, error) {
	lists, cache := filepath.Join(base, "lists"), filepath.Join(base, "cache")
	for _, d := range []string{filepath.Join(lists, "partial"), filepath.Join(cache, "archives", "partial")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	a := slices.Concat(aptOptions, apt{"-o", "Dir::State::lists=" + lists, "-o", "Dir::Cache=" + cache})
	if out, err := a.command("update").CombinedOutput(); err != nil {
		// One broken source among several is no obstacle, none at all is.
		if got, _ := filepath.Glob(filepath.Join(lists, "*_Packages*")); len(got) == 0 {
			return nil, fmt.Errorf("%w: apt-get update: %w: %s", errNoPackages, err, lastLine(out))
		}
	}
	return a, nil
}

// simulate asks apt what it would install, without installing it, and returns
// it as sorted name=version.
func (a apt) simulate(wanted []string) ([]string, error) {
	out, err := a.command(slices.Concat([]string{"--simulate", "--no-install-recommends", "--reinstall", "install"}, wanted)...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: apt-get install --simulate: %w: %s", errNoPackages, err, lastLine(out))
	}
	debs := simulated(string(out))
	if len(debs) == 0 {
		return nil, fmt.Errorf("%w: apt-get would install nothing: %s", errNoPackages, lastLine(out))
	}
	return debs, nil
}

// An installation, perhaps an upgrade: "Inst name [old] (new Debian:12/stable [amd64])".
var instLine = regexp.MustCompile(`(?m)^Inst (\S+) (?:\[\S+\] )?\((\S+) `)

// simulated reads apt-get's account of a simulated installation.
func simulated(out string) []string {
	var debs []string
	for _, m := range instLine.FindAllStringSubmatch(out, -1) {
		debs = append(debs, m[1]+"="+m[2])
	}
	slices.Sort(debs)
	return slices.Compact(debs)
}

// download fetches the packages into dir and returns the files. apt checks
// them against its lists, and those against Debian's signature.
func (a apt) download(dir string, debs []string) ([]string, error) {
	cmd := a.command(append([]string{"download"}, debs...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: apt-get download: %w: %s", errNoPackages, err, lastLine(out))
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err == nil && len(files) != len(debs) {
		err = fmt.Errorf("apt-get downloaded %d files for %s", len(files), strings.Join(debs, " "))
	}
	return files, err
}
