/* The console's input: any bytes as reports of a mouse, any keys and clicks as an operator's. What
 * an event says lies on some screen; typing and clicking anywhere leaves the prompt's line whole.
 */
#include "src/err.h"
#include "ui/app.h"
#include "ui/mouse.h"
#include "ui/term.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reports(const uint8_t *data, size_t size)
{
	struct mouse_parser p;
	struct mouse_event e;
	mouse_begin(&p, size & 1);
	for (size_t i = 0; i < size; i++) {
		enum mouse_step step = mouse_take(&p, data[i], &e);
		if (step == MOUSE_MORE)
			continue;
		if (step == MOUSE_DONE)
			TA_ASSERT(e.x >= 0 && e.x < 10000 && e.y >= 0 && e.y < 10000);
		mouse_begin(&p, data[i] & 1);
	}
}

/* Every work comes back: the database is not there. */
static void answer(struct app *app)
{
	struct work *w;
	for (int i = 0; i < 20 && (w = editor_next(&app->edit)); i++) {
		w->err.rc = TA_DB;
		if (w->kind == WORK_SEEN)
			app_seen(app, w);
		else
			editor_take(app, w);
	}
}

/* Bytes are keys; those beyond ASCII are what no byte says: arrows, marks of a paste, clicks. */
static void keys(struct app *app, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int c = data[i];
		/* Nothing is written into somebody's directory. */
		if (app->prompt.active && strstr(app->prompt.text, "ex") &&
			(c == '\r' || c == '\n'))
			continue;
		if (c < 0x80)
			app_key(app, c);
		else if (c < 0xc0)
			app_key(app, TERM_KEY(0402 + (c & 15)));
		else if (c < 0xd0)
			app_key(app, TERM_KEY(TERM_PASTE_START + (c & 1)));
		else
			app_mouse(app, &(struct mouse_event){.x = c * 7 % 80,
					       .y = c % 24,
					       .button = (enum mouse_button)(c & 3),
					       .press = true});
		TA_ASSERT(app->prompt.at <= app->prompt.len);
		TA_ASSERT(strlen(app->prompt.text) == app->prompt.len);
		answer(app);
		app->todo = 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct app *app = ta_alloc(sizeof(*app));
	if (size > 4096)
		size = 4096;
	reports(data, size);
	app_init(app);
	keys(app, data, size);
	app_release(app);
	free(app);
	return 0;
}
