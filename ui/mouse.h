/* What a mouse tells: the bytes of xterm's reports (ctlseqs.txt, "Mouse Tracking") as events, and
 * what an event does. Only buttons and the wheel are asked for, never motion. */
#ifndef UI_MOUSE_H
#define UI_MOUSE_H

#include <stdbool.h>

struct app;

enum mouse_button { MOUSE_LEFT, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN, MOUSE_OTHER };

struct mouse_event {
	int x, y; /* cells from 0 */
	enum mouse_button button;
	bool press; /* false: let go */
};

/* Reads what stands behind the introducer: ESC [ < ("1;12;5M", SGR, mode 1006) or ESC [ M (three
 * bytes of the older form, for terminals that know no other). */
struct mouse_parser {
	bool sgr;
	int n; /* bytes or digits of the present number */
	int part, number[3];
};
enum mouse_step { MOUSE_MORE, MOUSE_DONE, MOUSE_BAD };

void mouse_begin(struct mouse_parser *p, bool sgr);
/* One byte. MOUSE_BAD: it does not belong to a report; what was read is forgotten. */
enum mouse_step mouse_take(struct mouse_parser *p, int byte, struct mouse_event *out);

/* Clicks choose what stands there, twice opens it; the wheel scrolls. False: nothing happened. */
bool app_mouse(struct app *app, const struct mouse_event *m);

#endif
