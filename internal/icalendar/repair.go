package icalendar

// repair mends what servers refuse or skip in one object.
func (p *preparation) repair(o *Component) {}
