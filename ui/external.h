/* A text edited in the operator's own editor: $VISUAL, else $EDITOR, else vi. The caller has given
 * the terminal back before (term_leave). */
#ifndef UI_EXTERNAL_H
#define UI_EXTERNAL_H

#include "src/buf.h"
#include "src/err.h"

#include <signal.h>

struct external {
	const char *text;     /* what is edited; never a secret */
	const char *name;     /* of the file, such as "note.txt": the editor's title and colours */
	size_t max;           /* bytes that may come back */
	const sigset_t *mask; /* the editor's signal mask */
};

/* Writes the text to a file (0600) in a directory of its own (0700, under XDG_RUNTIME_DIR, TMPDIR
 * or /tmp), runs the editor on it without a shell (the words of the variable are its arguments),
 * waits for its end and appends what the file then says to `out`: valid UTF-8, line ends as blanks.
 * File, directory and whatever the editor left there are removed on every way. Errors, after which
 * nothing counts as edited: TA_CONFIG (no editor could be started), TA_INVALID (it ended with an
 * error; the text is too long, no UTF-8, no plain file any more). */
TA_MUST enum ta_rc external_edit(const struct external *e, struct buf *out, struct ta_err *err);

#endif
