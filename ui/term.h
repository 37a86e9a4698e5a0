/* The terminal: set-up, one write per frame, input, resize, suspend, and leaving it as found on
 * every way out. One per process (it is the process's terminal). */
#ifndef UI_TERM_H
#define UI_TERM_H

#include "src/err.h"

#include <stddef.h>

/* Keys above ncurses' own. */
enum term_key { TERM_PASTE_START = 0x2000, TERM_PASTE_END, TERM_MOUSE };

/* Takes the terminal over. colour: "auto", "always", "never". Errors: TA_USAGE when TERM is unset
 * or dumb or standard input or output is not a terminal, in a sentence. */
TA_MUST enum ta_rc term_open(const char *colour, bool ascii, struct ta_err *err);
void term_close(void); /* leaves it as found; safe to call twice */

/* Brings what was drawn onto the terminal: one write between the marks of a synchronised update.
 * Returns the bytes of the frame, 0 when nothing changed. When a slow terminal left a remainder,
 * term_pending() is true and frames are skipped until term_flush() has sent it. */
size_t term_frame(void);
bool term_pending(void);
int term_out_fd(void); /* poll for POLLOUT while term_pending() */
void term_flush(void);

/* The next key: a Unicode code point, or 0x1000000 + an ncurses KEY_ or enum term_key; -1 when
 * there is none. */
struct mouse_event;
#define TERM_KEY(k) (0x1000000 + (k))
int term_key(void);

/* What TERM_MOUSE was about. */
const struct mouse_event *term_mouse_event(void);
/* Asks for reports of buttons and wheel, or leaves the mouse to the terminal. Nothing where the
 * terminal's description knows no mouse. Put back on every way out. */
void term_mouse(bool on);
/* Rings the bell, once. */
void term_bell(void);

void term_resize(void);  /* after SIGWINCH */
void term_repaint(void); /* the whole next frame is sent */
/* Gives the terminal back to be used by another program, as it was found; takes it again. */
void term_leave(void);
void term_return(void);
void term_suspend(void); /* Ctrl-Z: gives the terminal back and stops; returns when continued */
/* ESC ]52: hands text to the terminal's clipboard; text beyond 8 KiB is refused: false. */
bool term_copy(const char *text, size_t n);

#endif
