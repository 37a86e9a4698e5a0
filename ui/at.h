/* Time travel: the stream and the board as of a moment. While one looks at it nothing moves; what
 * is read of it stands in db/asof.h. */
#ifndef UI_AT_H
#define UI_AT_H

#include "ui/app.h"

/* Looks at that moment, whole seconds; 0: at what happens now. */
void at_look(struct app *app, int64_t us);
/* `:at T`; a fault becomes a toast. */
void at_command(struct app *app, const char *text);
/* A minute earlier (-1) or later (1); from now on: the last whole minute; behind now: now. */
void at_step(struct app *app, int step);
/* "AT 10:31:00, 2h 11m ago  (:at now)"; w: columns that the line has. */
void at_badge(const struct app *app, int w, char out[64]);
/* Says so and returns true when the past is on view: there nothing can be sent. */
bool at_refuses(struct app *app);

#endif
