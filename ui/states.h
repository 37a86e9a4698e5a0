/* How a delivery's state looks: glyph, word, style; the same in every view. */
#ifndef UI_STATES_H
#define UI_STATES_H

#include "ui/data.h"
#include "ui/draw.h"

struct state_look {
	enum glyph glyph;
	enum style style;
	char word[40];
};

/* state -1: not routed. A queued delivery of a paused pixel looks paused. */
void state_look(const struct data *d, const struct view_row *v, struct state_look *out);
/* Glyph in its style, blank, word; in w columns. */
void state_draw(struct pen *p, const struct state_look *s, int w);
const char *platform_short(int platform); /* pin meta tt sheet */
/* The event's name, the label of custom ones; in less than its columns the short name that tells it
 * from the others. */
const char *event_shown(const struct view_row *v, int columns);

#endif
