package engine

// WithBatch makes a run begin with batches of so many messages.
func (o *Options) WithBatch(n int) { o.firstBatch = n }
