package extsort

// merge walks all runs side by side.
func (s *Sorter) merge(fn func(key uint64, record []byte) error) error {
	var h heap
	from := int64(0)
	for i, end := range s.runs {
		r := &run{in: input{file: s.out.file, at: from, end: end}, number: i}
		from = end
		more, err := r.next()
		if err != nil {
			return err
		}
		if more {
			h = append(h, r)
		}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
	for len(h) > 0 {
		r := h[0]
		if err := fn(r.key, r.record); err != nil {
			return err
		}
		more, err := r.next()
		if err != nil {
			return err
		}
		if !more {
			h[0] = h[len(h)-1]
			h = h[:len(h)-1]
		}
		h.down(0)
	}
	return nil
}

// run is a run being read.
type run struct {
	in     input
	number int
	key    uint64
	record []byte
}

func (r *run) next() (bool, error) {
	more, record, ok, err := r.in.next()
	r.key, r.record = r.key+more, record
	return ok, err
}

// heap has the run at its top whose record comes next.
type heap []*run

func (h heap) down(i int) {
	for {
		least := i
		for k := 2*i + 1; k <= 2*i+2 && k < len(h); k++ {
			if h[k].key < h[least].key || h[k].key == h[least].key && h[k].number < h[least].number {
				least = k
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
