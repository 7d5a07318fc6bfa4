package engine

// hillClimber looks for the shape with the highest rate by changing one knob at a
// time: a change that brings more is kept and followed, another one is taken
// back. Rates are noisy and drift, as a server slows down with what it holds,
// so a change must show clearly, and is compared with the rate just before.
type hillClimber struct {
	knobs [2]knob
	moves []move // tried in turn
	turn  int    // into moves
	rate  float64
	// settling windows are not judged: what is measured was under way before.
	settling int
	trying   bool
	before   int // the knob's value before the trial
	failed   int // moves in a row
	rest     int // windows
}

// knob is a number that may be changed.
type knob struct{ now, least, most int }

const (
	flightKnob = iota
	itemsKnob
)

// move is a change to try.
type move struct {
	of int
	up bool
}

const (
	// clear is by how much a changed shape must be faster.
	clearGain = 1.05
	// firstRest windows pass before the first attempt: where a run begins is
	// good in most places, and what is tried costs something while it lasts.
	firstRest = 20
	// restWindows pass before the next attempts, when none brought anything.
	restWindows = 60
)

// step is the knob's value after a move: a third more or less, at least one.
func (m move) step(k knob) int {
	if m.up {
		return min(k.now+max(k.now/3, 1), k.most)
	}
	return max(k.now-max(k.now/4, 1), k.least)
}

// judge takes the rate of a window and decides on the shape of the next.
func (c *hillClimber) judge(rate float64) {
	switch {
	case c.settling > 0:
		c.settling--
		return
	case c.trying:
		c.trying = false
		k := &c.knobs[c.moves[c.turn].of]
		if rate > c.rate*clearGain {
			c.failed = 0
			c.rate = rate
			c.try()
			return
		}
		k.now = c.before
		c.turn = (c.turn + 1) % len(c.moves)
		c.settling = 1
		if c.failed++; c.failed == len(c.moves) {
			c.failed, c.rest = 0, restWindows
		}
		return
	case c.rest > 0:
		c.rest--
	}
	c.rate = rate
	if c.rest == 0 {
		c.try()
	}
}

// try makes the next move that changes something.
func (c *hillClimber) try() {
	for range c.moves {
		m := c.moves[c.turn]
		k := &c.knobs[m.of]
		if next := m.step(*k); next != k.now {
			c.before, k.now = k.now, next
			c.trying, c.settling = true, 1
			return
		}
		c.turn = (c.turn + 1) % len(c.moves)
	}
}
