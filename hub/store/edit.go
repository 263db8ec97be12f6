package store

import "govor/hub/protocol"

// edit handles KindEdit: the member's own message has another text from now on. What it was before stays in the event that
// said it, until the message is deleted, and is read by nobody.
func (t *transaction) edit(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	r, refusal := t.openTo(e)
	if refusal != nil {
		return refusal, nil
	}
	target, author, refusal, err := t.messageAt(r, e)
	switch {
	case err != nil || refusal != nil:
		return refusal, err
	case !known || m.num != author:
		return notYours(e), nil
	case target.Erased:
		return protocol.Errorf(protocol.CodeNoTarget, "the message %d was deleted", e.Target), nil
	case e.Body == "":
		return badEvent("an edit has a text"), nil
	}
	e.Name, e.NameKey = m.name, m.key // as it is read back: an edit gives nobody another name
	stored, err := t.put(res, r, m)
	if err != nil {
		return nil, err
	}
	if !stored { // decide has looked before
		return badEvent("the edit was stored before"), nil
	}
	t.foldEdit.BindInt64(1, target.Pos)
	t.foldEdit.BindInt64(2, e.Seq)
	t.foldEdit.BindInt64(3, e.Pos)
	if err := run(t.foldEdit); err != nil {
		return nil, err
	}
	r.Changed = e.Seq
	e.Taken = target.Body
	target.Body, target.Mentions, target.Changed, target.ChangedAt = e.Body, e.Mentions, e.Seq, e.At
	e.Of = &target
	return nil, nil
}
