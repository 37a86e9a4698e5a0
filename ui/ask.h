/* Orders to the pipeline from wherever a pixel or an alert is selected: hold and release, the
 * circuit, acknowledging and muting; and the one line that is asked for first (how fast, how
 * long). */
#ifndef UI_ASK_H
#define UI_ASK_H

#include <stdint.h>

struct app;
struct work;

enum asking { ASKING_NOTHING, ASKING_RATE, ASKING_CIRCUIT, ASKING_MUTE };

struct asked {
	enum asking what;
	int64_t id;      /* pixel or alert */
	char label[250]; /* what the prompt says */
};

/* Holds the pixel, or asks how fast what waits may go and releases it. */
void ask_toggle(struct app *app, int32_t pixel_id);
/* An open circuit probes at once; a closed one: asks for how long it shall be open. */
void ask_circuit(struct app *app, int32_t pixel_id);
void ask_acknowledge(struct app *app, int64_t alert_id);
/* Asks until when; a muted one is heard again. */
void ask_mute(struct app *app, int64_t alert_id);
/* The line was typed; "" is what the label says of nothing. */
void ask_answer(struct app *app, const char *text);
/* What came of it. Frees the work. */
void ask_done(struct app *app, struct work *w);

#endif
