#include "ui/mouse.h"

#include "ui/app.h"
#include "ui/hit.h"
#include "ui/term.h"

#include <ncurses.h>

#define DIGITS     4
#define TWICE_US   INT64_C(400000)
#define WHEEL      3 /* lines of a notch */
#define OLD_OFFSET 32

/* Bits of a report's first number. */
enum { BUTTONS = 3, MOTION = 32, WHEEL_BIT = 64, FURTHER = 128 };

void mouse_begin(struct mouse_parser *p, bool sgr)
{
	*p = (struct mouse_parser){.sgr = sgr};
}

static void report_of(const struct mouse_parser *p, bool press, struct mouse_event *out)
{
	int b = p->number[0], low = b & BUTTONS;
	bool odd = (b & (MOTION | FURTHER)) != 0;
	*out = (struct mouse_event){.x = p->number[1] - 1,
		.y = p->number[2] - 1,
		.button = MOUSE_OTHER,
		.press = press};
	if (!odd && (b & WHEEL_BIT) && low < 2)
		out->button = low ? MOUSE_WHEEL_DOWN : MOUSE_WHEEL_UP;
	else if (!odd && !(b & WHEEL_BIT) && low == 0)
		out->button = MOUSE_LEFT;
}

static enum mouse_step take_sgr(struct mouse_parser *p, int byte, struct mouse_event *out)
{
	if (byte >= '0' && byte <= '9' && p->n < DIGITS) {
		p->number[p->part] = p->number[p->part] * 10 + byte - '0';
		p->n++;
		return MOUSE_MORE;
	}
	if (byte == ';' && p->n && p->part < 2) {
		p->part++;
		p->n = 0;
		return MOUSE_MORE;
	}
	if ((byte != 'M' && byte != 'm') || p->part != 2 || !p->n || !p->number[1] || !p->number[2])
		return MOUSE_BAD;
	report_of(p, byte == 'M', out);
	return MOUSE_DONE;
}

enum mouse_step mouse_take(struct mouse_parser *p, int byte, struct mouse_event *out)
{
	if (p->sgr)
		return take_sgr(p, byte, out);
	int least = p->part ? OLD_OFFSET + 1 : OLD_OFFSET;
	if (byte < least || byte > 255)
		return MOUSE_BAD;
	p->number[p->part++] = byte - OLD_OFFSET;
	if (p->part < 3)
		return MOUSE_MORE;
	report_of(p, (p->number[0] & BUTTONS) != BUTTONS, out);
	return MOUSE_DONE;
}

/* What it does ------------------------------------------------------------------------------------
 */

static void press(struct app *app, int key, int times)
{
	while (times-- > 0)
		app_key(app, key);
}

/* The same cell again, soon. */
static bool twice(struct app *app, const struct mouse_event *m)
{
	bool same = app->click_y == m->y && app->click_x == m->x &&
		    app->mono_us - app->click_us < TWICE_US && app->click_us;
	app->click_y = m->y;
	app->click_x = m->x;
	app->click_us = same ? 0 : app->mono_us;
	return same;
}

static void choose_line(struct app *app, const struct hit *h, const struct mouse_event *m)
{
	int step = m->y - h->box.y - h->arg;
	if (app_context(app) == K_INSPECT)
		app->inspect.focused = false; /* the click says which of both is meant */
	press(app, TERM_KEY(step < 0 ? KEY_UP : KEY_DOWN), step < 0 ? -step : step);
	if (twice(app, m))
		app_key(app, '\r');
}

static void choose_help(struct app *app, const struct hit *h, const struct mouse_event *m)
{
	help_choose(&app->help_view, h->arg + m->y - h->box.y);
	if (twice(app, m))
		app_key(app, '\r');
}

static void to_field(struct app *app, const struct hit *h, int x)
{
	struct form *f = &app->edit.form;
	if (!form_edits(f, h->arg) || f->saving)
		return;
	complete_close(&app->complete);
	if (f->sel != h->arg)
		form_go(f, h->arg);
	struct line *l = &f->values[h->arg].text;
	if (x >= h->x && !form_choices(&f->table->fields[h->arg]))
		l->at = line_at(l, (size_t)h->from, x - h->x);
}

static void in_prompt(struct app *app, const struct hit *h, int x)
{
	struct line l = prompt_line(&app->prompt);
	complete_close(&app->complete);
	if (x >= h->x)
		app->prompt.at = line_at(&l, (size_t)h->from, x - h->x);
}

/* The list is walked to the word, which is then taken. */
static void take_word(struct app *app, int i)
{
	int step = i - app->complete.sel;
	press(app, TERM_KEY(step < 0 ? KEY_UP : KEY_DOWN), step < 0 ? -step : step);
	app_key(app, '\r');
}

static bool click(struct app *app, const struct mouse_event *m)
{
	struct hit h = hit_at(m->y, m->x);
	unsigned context = app_context(app);
	bool typing = app->prompt.active || (context & K_FORM);
	if (h.kind == HIT_WORD && app->complete.open)
		take_word(app, h.arg);
	else if (h.kind == HIT_PROMPT && app->prompt.active)
		in_prompt(app, &h, m->x);
	else if (h.kind == HIT_REQUEST && !app->prompt.active)
		key_press(app, (enum req)h.arg);
	else if (h.kind == HIT_FIELD && context & K_FORM)
		to_field(app, &h, m->x);
	else if (typing || !(context & K_ALL))
		return false;
	else if (h.kind == HIT_VIEW)
		app_go(app, (enum pane_id)h.arg);
	else if (h.kind == HIT_LIST)
		choose_line(app, &h, m);
	else if (h.kind == HIT_HELP)
		choose_help(app, &h, m);
	else if (h.kind == HIT_TAB)
		inspect_request_tab(&app->inspect, h.arg - (int)app->inspect.tab);
	else if (h.kind == HIT_TEXT)
		app->inspect.focused = true;
	else
		return false;
	return true;
}

static bool turn(struct app *app, const struct mouse_event *m)
{
	bool down = m->button == MOUSE_WHEEL_DOWN;
	struct hit h = hit_at(m->y, m->x);
	unsigned context = app_context(app);
	if (app->complete.open) {
		press(app, TERM_KEY(down ? KEY_DOWN : KEY_UP), 1);
		return true;
	}
	if (app->prompt.active || (context & (K_FORM | K_MERGE)))
		return false;
	if (h.kind == HIT_TEXT) {
		for (int i = 0; i < WHEEL; i++)
			textview_request(&app->inspect.text, down ? REQ_DOWN : REQ_UP);
		return true;
	}
	if (h.kind == HIT_LIST && context == K_INSPECT)
		app->inspect.focused = false;
	press(app, TERM_KEY(down ? KEY_DOWN : KEY_UP), WHEEL);
	return true;
}

bool app_mouse(struct app *app, const struct mouse_event *m)
{
	bool pasting = app->pasting || app->prompt.pasting || app->edit.form.pasting;
	if (!m->press || pasting || app->edit.ask.kind != ASK_NOTHING)
		return false;
	if (m->button == MOUSE_WHEEL_UP || m->button == MOUSE_WHEEL_DOWN)
		return turn(app, m);
	return m->button == MOUSE_LEFT && click(app, m);
}
