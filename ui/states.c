#include "ui/states.h"

#include "ui/format.h"

#include <stdio.h>
#include <string.h>

static const struct {
	enum glyph glyph;
	enum style style;
} looks[DISP_COUNT] = {
	[DISP_QUEUED] = {GL_WAIT, ST_TEXT},
	[DISP_HELD] = {GL_WAIT, ST_TEXT},
	[DISP_RETRYING] = {GL_RETRY, ST_WARN},
	[DISP_DELIVERED] = {GL_OK, ST_OK},
	[DISP_DELIVERED_WARNING] = {GL_WARN, ST_WARN},
	[DISP_FILTERED] = {GL_OFF, ST_TEXT},
	[DISP_DUPLICATE] = {GL_OFF, ST_TEXT},
	[DISP_NO_CONSENT] = {GL_OFF, ST_TEXT},
	[DISP_REJECTED] = {GL_BAD, ST_BAD},
	[DISP_DEAD] = {GL_BAD, ST_BAD},
};

void state_look(const struct data *d, const struct view_row *v, struct state_look *out)
{
	const struct view_pixel *px = data_pixel(d, v->pixel_id);
	bool known = v->state >= 0 && v->state < DISP_COUNT;
	*out = (struct state_look){.glyph = GL_WAIT, .style = ST_TEXT};
	if (!known) {
		snprintf(out->word, sizeof(out->word), "%s", v->pixel_id ? "?" : "no pixel");
		return;
	}
	out->glyph = looks[v->state].glyph;
	out->style = looks[v->state].style;
	if (v->state == DISP_QUEUED && px && px->held) {
		out->glyph = GL_OFF;
		out->style = ST_WARN;
		snprintf(out->word, sizeof(out->word), "paused");
	} else if (v->state == DISP_RETRYING && v->due_us > d->now_us) {
		char in[16];
		format_span((v->due_us - d->now_us) / 1000000 * 1000000, in);
		char *dot = strchr(in, '.');
		if (dot)
			snprintf(dot, 2, "s");
		snprintf(out->word, sizeof(out->word), "retry %s", in);
	} else if (v->state == DISP_DELIVERED_WARNING) {
		snprintf(out->word, sizeof(out->word), "warning");
	} else if (v->state == DISP_FILTERED || v->state == DISP_REJECTED ||
		   v->state == DISP_DEAD) {
		snprintf(out->word, sizeof(out->word), "%s %s", disposition_word(v->state),
			v->reason == REASON_PLATFORM ? "" : reason_word(v->reason));
	} else {
		snprintf(out->word, sizeof(out->word), "%s", disposition_word(v->state));
	}
}

void state_draw(struct pen *p, const struct state_look *s, int w)
{
	int from = p->x;
	draw_glyph(p, s->style, s->glyph);
	draw_gap(p, 1);
	char word[sizeof(s->word)];
	snprintf(word, sizeof(word), "%s", s->word);
	char *blank = strchr(word, ' ');
	if (blank && draw_width(word) > w - (p->x - from)) /* the reason goes first */
		*blank = '\0';
	bool loud = s->style == ST_BAD || s->style == ST_WARN;
	draw_cell(p, loud ? s->style : ST_TEXT, w - (p->x - from), word);
}

const char *platform_short(int platform)
{
	static const char *const words[PLATFORM_COUNT] = {"pin", "meta", "tt", "sheet"};
	return platform >= 0 && platform < PLATFORM_COUNT ? words[platform] : "-";
}

const char *event_shown(const struct view_row *v, int columns)
{
	static const struct {
		enum event_name name;
		const char *brief;
	} briefs[] = {{EV_INITIATE_CHECKOUT, "checkout"}, {EV_ADD_PAYMENT_INFO, "add_payment"},
		{EV_ADD_TO_WISHLIST, "wishlist"}};
	for (size_t i = 0; i < TA_COUNT(briefs); i++)
		if (v->name == (int)briefs[i].name && draw_width(event_word(v->name)) > columns)
			return briefs[i].brief;
	return v->name == EV_CUSTOM && *v->label ? v->label : event_word(v->name);
}
