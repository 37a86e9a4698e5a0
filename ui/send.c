#include "ui/send.h"

#include "src/buf.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/states.h"

#include <stdio.h>
#include <string.h>

void send_release(struct send_view *v)
{
	textview_free(&v->text);
	arena_release(&v->mem);
	*v = (struct send_view){0};
}

/* Asking ------------------------------------------------------------------------------------------
 */

static void wait_for(struct send_view *v, struct work *w)
{
	textview_clear(&v->text);
	arena_clear(&v->mem);
	v->text.wrap = true;
	v->running = w;
	textview_add(&v->text, ST_TEXT, "",
		"being sent: the answer is here within seconds; Esc leaves it");
}

static void begin(struct app *app, struct work *w, const char *what)
{
	struct send_view *v = &app->edit.send;
	v->open = true;
	v->pane = (int)app->pane;
	snprintf(v->what, sizeof(v->what), "%s", what);
	wait_for(v, w);
	editor_post(app, w);
}

static struct work *ask(int64_t pixel_id, int64_t event_id)
{
	struct work *w = work_new(WORK_SEND, editor_table(GRID_PIXELS));
	w->edit.id = pixel_id;
	w->event_id = event_id;
	return w;
}

void send_event(struct app *app)
{
	const struct view_row *row = feed_selected(&app->feed);
	const struct view_pixel *px = row ? data_pixel(&app->data, row->pixel_id) : NULL;
	char what[160];
	if (!row || !px) {
		app_toast(app, false,
			row ? "this event went to no pixel: choose one in Pixels and press T there"
			    : "no event is selected");
		return;
	}
	snprintf(
		what, sizeof(what), "Test: %s through pixel %.60s", event_shown(row, 40), px->name);
	begin(app, ask(px->id, row->id), what);
}

void send_newest(struct app *app, const struct table_row *pixel)
{
	const struct table *t = editor_table(GRID_PIXELS);
	int name = field_index(t->fields, t->nfields, "name");
	char what[160];
	snprintf(what, sizeof(what), "Test: the newest event that fits, through pixel %.60s",
		pixel->v[name] ? pixel->v[name] : "");
	begin(app, ask(pixel->id, 0), what);
}

void send_draft(struct app *app)
{
	struct form *f = &app->edit.form;
	if (!f->id) {
		app_toast(app, false, "a new pixel can be tested once it is saved");
		return;
	}
	if (!form_ready(f))
		return;
	struct work *w = ask(f->id, 0);
	form_fill(f, w);
	w->drafted = true;
	begin(app, w, "Test: the newest event that fits, through what the form says");
}

/* The answer --------------------------------------------------------------------------------------
 */

static void line(struct send_view *v, enum style st, const char *label, const char *text)
{
	textview_add(&v->text, st, label, text);
}

/* An exchange's half: its head as it is, its body as a tree where it is JSON. */
static void half(struct send_view *v, const char *title, const char *text, size_t n)
{
	const char *gap = memmem(text, n, "\n\n", 2), *crlf = memmem(text, n, "\r\n\r\n", 4);
	bool json = n && (*text == '{' || *text == '[');
	const char *stop = json ? text : crlf ? crlf : gap ? gap : text;
	const char *body = json ? text : crlf ? crlf + 4 : gap ? gap + 2 : text;
	size_t left = n - (size_t)(body - text);
	line(v, ST_STRONG, "", arena_fmt(&v->mem, "%s, %zu bytes", title, n));
	while (text < stop) {
		size_t k = strcspn(text, "\r\n");
		k = TA_MIN(k, (size_t)(stop - text));
		line(v, ST_TEXT, "", arena_strndup(&v->mem, text, k));
		text += k;
		text += *text == '\r';
		text += *text == '\n';
	}
	if (left && !inspect_json(&v->text, &v->mem, body, left))
		line(v, ST_TEXT, "", arena_strndup(&v->mem, body, left));
}

static void verdict(struct send_view *v, const struct pixel_test *r)
{
	bool good = strncmp(r->verdict, "delivered", 9) == 0;
	bool warns = good && strcmp(r->verdict, "delivered") != 0;
	enum glyph g = warns ? GL_WARN : good ? GL_OK : GL_BAD;
	char ms[16];
	format_ms(r->ms, ms);
	line(v,
		warns  ? ST_WARN
		: good ? ST_OK
		       : ST_BAD,
		"verdict",
		r->http ? arena_fmt(&v->mem, "%s %s: HTTP %d in %s", theme_glyph(g), r->verdict,
				  r->http, ms)
			: arena_fmt(&v->mem, "%s %s: %s", theme_glyph(g), r->verdict,
				  *r->error ? r->error : "no answer"));
	if (*r->message || (*r->code && !good)) /* a good verdict's code says nothing more */
		line(v, good ? ST_TEXT : ST_BAD, "says",
			arena_fmt(&v->mem, "%s%s%s", r->code, *r->code && *r->message ? ": " : "",
				r->message));
}

static void tell(struct send_view *v, const struct pixel_test *r)
{
	verdict(v, r);
	line(v, ST_TEXT, "event",
		arena_fmt(&v->mem, "%llx as %s, under the id %s", (unsigned long long)r->event_id,
			r->event_name, r->wire_id));
	line(v, ST_TEXT, "pixel",
		arena_fmt(&v->mem, "%s (%s), %s", r->name, r->platform,
			r->live ? "its live settings" : "as in the form, which is not saved"));
	line(v, ST_TEXT, "", "a test: no delivery and no figure of the live traffic knows of it");
	line(v, ST_TEXT, "", "");
	half(v, "request", r->request, r->nrequest);
	line(v, ST_TEXT, "", "");
	half(v, "answer", r->answer, r->nanswer);
}

void send_take(struct app *app, struct work *w)
{
	struct send_view *v = &app->edit.send;
	if (!v->open || v->running != w)
		return; /* nobody waits for it any more */
	v->running = NULL;
	textview_clear(&v->text);
	arena_release(&v->mem);
	v->mem = w->mem; /* what came of it lives there */
	w->mem = ARENA_INIT;
	if (!w->err.rc) {
		tell(v, w->sent);
		return;
	}
	line(v, ST_BAD, "", arena_fmt(&v->mem, "%s %s", theme_glyph(GL_BAD), w->err.msg));
	line(v, ST_TEXT, "", "nothing was sent, or nobody knows: live traffic goes on as before");
}

/* The view ----------------------------------------------------------------------------------------
 */

static void copy(struct app *app, const struct textview *t)
{
	buf_clear(&app->copy);
	for (int i = 0; i < t->n && app->copy.len < 8000; i++) {
		struct buf one = BUF_INIT(8192);
		draw_clean(&one, t->lines[i].text, strlen(t->lines[i].text), 2000);
		buf_addf(&app->copy, "%s%s%s\n", t->lines[i].label, *t->lines[i].label ? "\t" : "",
			buf_str(&one));
		buf_release(&one);
	}
	app_toast(app, false, "sent %zu bytes to the clipboard (if the terminal allows)",
		app->copy.len);
}

bool send_request(struct app *app, enum req r)
{
	struct send_view *v = &app->edit.send;
	switch ((int)r) {
	case REQ_BACK:
	case REQ_CLOSE:
		v->open = false;
		v->running = NULL;
		return true;
	case REQ_COPY:
		copy(app, &v->text);
		return true;
	default:
		return textview_request(&v->text, r);
	}
}

void send_draw(struct app *app, struct box b)
{
	struct send_view *v = &app->edit.send;
	struct box text = {b.y + 1, b.x, b.h - 1, b.w};
	draw_heading(b, 0, v->what, v->running ? "being sent" : "test mode");
	v->text.height = text.h;
	textview_draw(&v->text, text);
}
