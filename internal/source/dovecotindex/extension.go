package dovecotindex

// intros reads introductions: each selects the extension that the following
// updates are for, makes it if it is new and changes its sizes
// (mail_index_sync_ext_intro).
func (s *state) intros(d []byte) error {
	for len(d) >= introSize {
		n := int(s.Order.Uint16(d[18:]))
		if introSize+n > len(d) {
			return damaged("an introduction with a name of %d octets", n)
		}
		if err := s.intro(d[:introSize], string(d[introSize:introSize+n])); err != nil {
			return err
		}
		d = d[min(len(d), align(introSize+n, 4)):]
	}
	return nil
}

func (s *state) intro(d []byte, name string) error {
	id, resetID, header := s.Order.Uint32(d), s.Order.Uint32(d[4:]), s.Order.Uint32(d[8:])
	size, flags := int(s.Order.Uint16(d[12:])), s.Order.Uint16(d[16:])
	s.current, s.ignore, s.rowSize = nil, true, size
	if header > maxExtensionSize {
		return damaged("an extension with a header of %d octets", header)
	}
	var e *Extension
	switch {
	case id != byName && int64(id) >= int64(len(s.exts)):
		return damaged("extension %d of %d is introduced", id, len(s.exts))
	case id != byName:
		e = s.exts[id]
	case name == "":
		return damaged("an extension without a name is introduced")
	default:
		e = s.Extension(name)
	}
	if e == nil {
		if len(s.exts) >= maxExtensions {
			return damaged("there are more than %d extensions", maxExtensions)
		}
		s.current, s.ignore = s.introduced(name), false
		s.current.ResetID, s.current.Header = resetID, make([]byte, header)
		return s.resize(s.current, size)
	}
	s.current = e
	if e.ResetID != resetID {
		return nil // written before somebody else's reset: only a new reset counts
	}
	s.ignore = false
	if n := int(header); n > len(e.Header) {
		e.Header = append(e.Header, make([]byte, n-len(e.Header))...)
	} else if flags&noShrink == 0 {
		e.Header = e.Header[:n]
	}
	if size > e.Size || size < e.Size && flags&noShrink == 0 {
		return s.resize(e, size)
	}
	return nil
}

// introduced is a new extension, without data.
func (s *state) introduced(name string) *Extension {
	e := &Extension{Name: name, number: len(s.exts)}
	s.exts = append(s.exts, e)
	s.edit(e.edit(editResize, 0).all())
	return e
}

// edit is one of the extension's data.
func (e *Extension) edit(kind editKind, n uint64) edit {
	return edit{kind: kind, extension: int32(e.number), n: n}
}

// maxRows bounds what the data of all extensions may take in memory, in octets: some
// sixty for each of ten million messages.
const maxRows = 1 << 30

// fits refuses what would take too much memory for n records with more octets
// each than they have.
func (s *state) fits(n, more int) error {
	width := more
	for _, e := range s.exts {
		width += e.Size
	}
	if width > maxRecordSize || width*n > maxRows {
		return damaged("%d records of %d octets", n, width)
	}
	return nil
}

// resize changes how much data each record has.
func (s *state) resize(e *Extension, size int) error {
	if err := s.fits(s.rows.len(), max(0, size-e.Size)); err != nil {
		return err
	}
	e.Size = size
	s.edit(e.edit(editResize, uint64(size)).all())
	return nil
}

// reset starts the current extension anew.
func (s *state) reset(id uint32, preserve bool) {
	e := s.current
	e.ResetID, s.ignore = id, false
	if !preserve {
		clear(e.Header)
		s.edit(e.edit(editClear, 0).all())
	}
}

// extHeader carries out updates of the current extension's header. wide ones
// have offset and size of 32 bits.
func (s *state) extHeader(d []byte, wide bool) error {
	head := 4
	if wide {
		head = 8
	}
	for len(d) >= head {
		at, n := int64(s.Order.Uint16(d)), int64(s.Order.Uint16(d[2:]))
		if wide {
			at, n = int64(s.Order.Uint32(d)), int64(s.Order.Uint32(d[4:]))
		}
		if int64(head)+n > int64(len(d)) {
			return damaged("an update of an extension's header is cut off")
		}
		if e := s.current; e != nil && !s.ignore {
			if at+n > int64(len(e.Header)) {
				return damaged("an update behind the header of extension %q", e.Name)
			}
			copy(e.Header[at:], d[head:int64(head)+n])
			switch e.Name {
			case keywordsName:
				return damaged("the keywords are changed as an extension")
			case modseqName:
				s.startModSeq(e)
			}
		}
		d = d[min(len(d), align(head+int(n), 4)):]
	}
	return nil
}

// extRecords sets the current extension's data of records. Each update is as
// long as the introduction said.
func (s *state) extRecords(d []byte) error {
	e, step := s.current, align(4+s.rowSize, 4)
	if e == nil || s.ignore {
		return nil
	}
	for ; len(d) >= step; d = d[step:] {
		set := e.edit(editSet, 0)
		set.data = d[4 : 4+s.rowSize]
		s.edit(set.of(s.Order.Uint32(d)))
	}
	return nil
}

// increment changes a number that is the current extension's data.
func (s *state) increment(uid uint32, by int32) {
	e := s.current
	if e == nil || s.ignore {
		return
	}
	s.edit(e.edit(editIncrement, uint64(int64(by))).of(uid))
}
