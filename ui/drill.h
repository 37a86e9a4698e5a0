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

/* Goes to Events under the expression. whole: the database looks back as far as events are kept
 * instead of a day; to it pixel_id (0: any) and state (a disposition, -1: any) say the same as the
 * expression, as far as they can. */
struct drill_to {
	const char *expr;
	bool whole;
	int32_t pixel_id;
	int state;
};
void drill(struct app *app, const struct drill_to *to);
/* The numbers of a line about deliveries of the last hour, chosen by Left and Right. */
enum cell { CELL_LINE, CELL_SENT, CELL_FAILED, CELL_WAITING, CELLS };
/* Opens one of them, of the deliveries that the expression names. */
void drill_cell(struct app *app, const char *of, enum cell c);

/* Appends "store == S and pixel == P"; false when the pixel is unknown. */
bool drill_pixel(struct buf *b, const struct data *d, int32_t pixel_id);
/* Esc: back to where the drill began, false when there is none. */
bool drill_back(struct app *app);
/* The filter was changed by hand: the drill is over, the stream looks back a day again. */
void drill_end(struct app *app, const char *expr);

#endif
