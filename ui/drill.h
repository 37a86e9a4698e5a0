/* From a number to the events behind it: the stream under a filter, and Esc leads back to the very
 * place the number stands at. */
#ifndef UI_DRILL_H
#define UI_DRILL_H

#include <stdbool.h>
#include <stdint.h>

struct app;
struct buf;
struct data;

struct drill {
	bool on;
	int from;         /* enum pane_id */
	char expr[512];   /* in force since then */
	char before[512]; /* the stream's filter of before */
};

/* Goes to Events under the expression. pixel_id and state (a disposition, -1: any) say the same to
 * the database, which then looks back as far as events are kept instead of a day; pixel_id 0: a day
 * will do. */
struct drill_to {
	const char *expr;
	int32_t pixel_id;
	int state;
};
void drill(struct app *app, const struct drill_to *to);
/* Appends "store == S and pixel == P"; false when the pixel is unknown. */
bool drill_pixel(struct buf *b, const struct data *d, int32_t pixel_id);
/* Esc: back to where the drill began, false when there is none. */
bool drill_back(struct app *app);
/* The filter was changed by hand: the drill is over, the stream looks back a day again. */
void drill_end(struct app *app, const char *expr);

#endif
