package stalwart

import (
	"context"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
)

// Exchange implements destination.Account. One request carries the Email/import
// and a Blob/upload; what does not fit goes beside it. The emails are filed in
// the order given, because document ids and IMAP UIDs ascend with it.
func (a *Account) Exchange(ctx context.Context, emails []destination.Import, blobs []destination.Blob) destination.Exchanged {
	p := a.pack(blobs)
	x := destination.Exchanged{Uploaded: p.out}
	if len(emails) == 0 {
		x.UploadErr = a.upload(ctx, p)
		return x
	}
	arguments := importArguments(a.id, emails)
	var riding *uploadBatch
	if len(p.batches) > 0 && len(arguments)+len(p.batches[0].json) <= a.uploadLimit() {
		riding, p.batches = p.batches[0], p.batches[1:]
	}
	beside := make(chan error, 1)
	go func() { beside <- a.upload(ctx, p) }()
	err := a.importing(ctx, arguments, emails, riding, p, &x)
	if x.UploadErr = <-beside; x.UploadErr == nil {
		x.UploadErr = err
	}
	return x
}

// importing makes the request of an Email/import, on which an upload may ride.
// The error is that of the upload.
func (a *Account) importing(ctx context.Context, arguments []byte, emails []destination.Import, riding *uploadBatch, p *packed, x *destination.Exchanged) error {
	r := jmap.NewRequest(capMail)
	r.Once = true
	importing := r.Call("Email/import", jmap.Raw(arguments))
	uploading := ""
	if riding != nil {
		r.Use(capBlob)
		uploading = r.Call("Blob/upload", jmap.Raw(riding.arguments()))
	}
	resp, err := a.d.client.Do(ctx, r)
	if err != nil {
		x.ImportErr = ambiguous(err)
		if riding == nil {
			return nil
		}
		return err
	}
	x.Imported, x.State, x.ImportErr = imported(resp, importing, emails)
	if riding == nil {
		return nil
	}
	return a.d.answer(p, resp, uploading, riding)
}
