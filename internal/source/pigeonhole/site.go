package pigeonhole

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Paths are where a host's scripts are. Each of Before and After is a script,
// or a folder whose scripts run in the order of their names.
type Paths struct {
	Before, After []string
	Default       string // for users without an active script, or empty
	Global        string // the folder of scripts for include :global, or empty
}

// Empty reports that the host runs none.
func (p Paths) Empty() bool {
	return len(p.Before)+len(p.After) == 0 && p.Default == "" && p.Global == ""
}

// maxScript is the largest file that is read, in octets; Pigeonhole accepts
// 1 MiB by default.
const maxScript = 16 << 20

// Read reads them all. A path that is not there is none for Pigeonhole, too:
// it says so in its log and goes on. What is there and cannot be read is a
// Fault of ClassFatal: without it every account would be filtered otherwise.
func (p Paths) Read() (model.ScriptSetting, error) {
	var s model.ScriptSetting
	var err error
	if s.Before, err = sequence(p.Before); err != nil {
		return s, fault(err)
	}
	if s.After, err = sequence(p.After); err != nil {
		return s, fault(err)
	}
	if p.Default != "" {
		text, err := read(p.Default)
		switch {
		case err == nil:
			s.Default = &model.Script{Name: scriptName(p.Default), Content: text}
		case !errors.Is(err, fs.ErrNotExist):
			return s, fault(err)
		}
	}
	if p.Global != "" {
		if s.Global, err = folder(p.Global); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s, fault(err)
		}
	}
	return s, nil
}

func fault(err error) error {
	return &model.Fault{Class: model.ClassFatal, Code: "scripts", Err: fmt.Errorf("scripts that run for everybody: %w", err),
		Remedy: "run as a user who may read them, or correct source.sieve"}
}

func sequence(paths []string) ([]model.Script, error) {
	var out []model.Script
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		case info.IsDir():
			in, err := folder(path)
			if err != nil {
				return nil, err
			}
			out = append(out, in...)
			continue
		}
		text, err := read(path)
		if err != nil {
			return nil, err
		}
		out = append(out, model.Script{Name: scriptName(path), Content: text})
	}
	return out, nil
}

// folder returns the scripts of a folder in the order of their names.
func folder(dir string) ([]model.Script, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []model.Script
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".sieve") || strings.HasPrefix(e.Name(), ".") || e.IsDir() {
			continue
		}
		text, err := read(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a link to nowhere
		}
		if err != nil {
			return nil, err
		}
		out = append(out, model.Script{Name: scriptName(e.Name()), Content: text})
	}
	slices.SortFunc(out, func(a, b model.Script) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func scriptName(path string) string { return strings.TrimSuffix(filepath.Base(path), ".sieve") }

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScript+1))
	if err == nil && len(text) > maxScript {
		err = fmt.Errorf("%s is larger than %d octets: no script", path, maxScript)
	}
	return text, err
}
