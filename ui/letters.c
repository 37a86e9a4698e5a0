#include "ui/letters.h"

#include "db/audit.h"
#include "src/buf.h"
#include "src/clock.h"
#include "ui/app.h"
#include "ui/at.h"
#include "ui/export.h"
#include "ui/format.h"
#include "ui/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY_US (5 * US_PER_S)

void letters_release(struct letters *v)
{
	letters_job_free(v->read);
	free(v->shown);
	free(v->marks);
	free(v->asked);
	*v = (struct letters){0};
}

bool letters_here(const struct app *app)
{
	return app->letters.open && app->letters.pane == (int)app->pane && !app->inspect.pinned;
}

bool letters_busy(const struct app *app)
{
	return app->letters.running != NULL;
}

/* Marks ------------------------------------------------------------------------------------------
 */

static int by_key(const void *x, const void *y)
{
	const struct retry_pick *a = x, *b = y;
	if (a->event_id != b->event_id)
		return a->event_id < b->event_id ? -1 : 1;
	return a->pixel_id < b->pixel_id ? -1 : a->pixel_id > b->pixel_id;
}

static struct retry_pick *mark_of(const struct letters *v, const struct letter *l)
{
	struct retry_pick key = {l->event_id, l->pixel_id};
	return v->nmarks ? bsearch(&key, v->marks, v->nmarks, sizeof(key), by_key) : NULL;
}

bool letters_marked(const struct letters *v, const struct letter *l)
{
	return mark_of(v, l) != NULL;
}

static void push_mark(struct letters *v, const struct letter *l)
{
	if (v->nmarks == v->marks_size) {
		v->marks_size = v->marks_size ? 2 * v->marks_size : 64;
		v->marks = ta_realloc(v->marks, v->marks_size * sizeof(*v->marks));
	}
	v->marks[v->nmarks++] = (struct retry_pick){l->event_id, l->pixel_id};
}

static void sort_marks(struct letters *v)
{
	if (v->nmarks)
		qsort(v->marks, v->nmarks, sizeof(*v->marks), by_key);
}

static void mark_selected(struct letters *v)
{
	const struct letter *l = letters_selected(v);
	struct retry_pick *m = l ? mark_of(v, l) : NULL;
	if (m) {
		v->nmarks--;
		memmove(m, m + 1, (size_t)(v->marks + v->nmarks - m) * sizeof(*m));
	} else if (l) {
		push_mark(v, l);
		sort_marks(v);
	}
}

/* All that the filter lets through. */
static void mark_all(struct letters *v)
{
	size_t before = v->nmarks;
	struct letters old = {.marks = v->marks, .nmarks = before};
	struct retry_pick *kept = ta_alloc((before + 1) * sizeof(*kept));
	if (before)
		memcpy(kept, v->marks, before * sizeof(*kept));
	old.marks = kept;
	for (int i = 0; i < v->nshown; i++)
		if (!mark_of(&old, &v->read->rows[v->shown[i]]))
			push_mark(v, &v->read->rows[v->shown[i]]);
	free(kept);
	sort_marks(v);
}

/* What is no longer in the list is no longer marked. */
static void keep_marks(struct letters *v)
{
	struct letters old = {.marks = v->marks, .nmarks = v->nmarks};
	v->marks = NULL;
	v->nmarks = v->marks_size = 0;
	for (size_t i = 0; i < v->read->n; i++)
		if (mark_of(&old, &v->read->rows[i]))
			push_mark(v, &v->read->rows[i]);
	free(old.marks);
	sort_marks(v);
}

struct retry_pick *letters_picks(const struct letters *v, size_t *n)
{
	const struct letter *l = letters_selected(v);
	struct retry_pick *out = ta_alloc((v->nmarks + 1) * sizeof(*out));
	*n = v->nmarks;
	if (v->nmarks)
		memcpy(out, v->marks, v->nmarks * sizeof(*out));
	else if (l)
		out[(*n)++] = (struct retry_pick){l->event_id, l->pixel_id};
	return out;
}

/* Rows -------------------------------------------------------------------------------------------
 */

const struct letter *letters_selected(const struct letters *v)
{
	if (!v->read || v->list.sel < 0 || v->list.sel >= v->nshown)
		return NULL;
	return &v->read->rows[v->shown[v->list.sel]];
}

static bool holds(const struct letter *l, const char *word)
{
	const char *const cells[] = {l->label, l->store, l->pixel, l->platform, l->code, l->message,
		disposition_word(l->state), reason_word(l->reason), event_word(l->name)};
	for (size_t i = 0; i < TA_COUNT(cells); i++)
		if (cells[i] && strcasestr(cells[i], word))
			return true;
	return false;
}

/* Every word somewhere in the row. */
static bool fits(const struct letter *l, const char *words)
{
	char copy[80], *rest = copy, *word;
	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, " ")))
		if (*word && !holds(l, word))
			return false;
	return true;
}

/* The rows on view, the selection on its record. */
static void arrange(struct letters *v)
{
	size_t n = v->read ? v->read->n : 0;
	int sel = v->list.sel;
	if ((int)n > v->size) {
		v->size = (int)n;
		v->shown = ta_realloc(v->shown, n * sizeof(*v->shown));
	}
	v->nshown = 0;
	for (size_t i = 0; i < n; i++) {
		const struct letter *l = &v->read->rows[i];
		if (!fits(l, v->words))
			continue;
		if (l->event_id == v->sel_event && l->pixel_id == v->sel_pixel)
			sel = v->nshown;
		v->shown[v->nshown++] = (int)i;
	}
	v->list.sel = TA_MAX(TA_MIN(sel, v->nshown - 1), 0);
}

static void note_selected(struct letters *v)
{
	const struct letter *l = letters_selected(v);
	v->sel_event = l ? l->event_id : 0;
	v->sel_pixel = l ? l->pixel_id : 0;
}

void letters_narrow(struct app *app, const char *words)
{
	struct letters *v = &app->letters;
	snprintf(v->words, sizeof(v->words), "%.79s", words);
	arrange(v);
	note_selected(v);
}

static struct work *job(struct app *app, enum letters_do what)
{
	struct work *w = work_new(WORK_LETTERS, NULL);
	w->letters = letters_job_new(what, app->letters.kind);
	return w;
}

static void read_again(struct app *app)
{
	struct letters *v = &app->letters;
	struct work *w = job(app, LETTERS_READ);
	struct letters_job *j = w->letters;
	j->by = v->by;
	j->reason = v->reason;
	j->pixel_id = v->pixel_id;
	j->code = v->any_code ? NULL : arena_strdup(&j->mem, v->code);
	v->reading = w;
	v->due_us = app->mono_us + EVERY_US;
	editor_post(app, w);
}

void letters_tick(struct app *app, bool now)
{
	struct letters *v = &app->letters;
	bool due = app->mono_us >= v->due_us && !app->paused;
	if (letters_here(app) && !v->reading && (now || due))
		read_again(app);
}

static void all_groups(struct letters *v)
{
	v->reason = -1;
	v->pixel_id = 0;
	v->any_code = true;
	v->group[0] = '\0';
}

/* What is on view is no longer what was asked for. */
static void begin_anew(struct app *app)
{
	struct letters *v = &app->letters;
	letters_job_free(v->read);
	v->read = NULL;
	v->reading = NULL; /* its answer is dropped */
	v->nshown = 0;
	v->list = (struct list){0};
	v->error[0] = '\0';
	read_again(app);
}

void letters_open(struct app *app, enum letters_kind kind)
{
	struct letters *v = &app->letters;
	app->help = false;
	if (app->inspect.pinned)
		app_go(app, app->before);
	if (v->open && v->kind != kind) {
		v->nmarks = 0;
		v->words[0] = '\0';
	}
	v->open = true;
	v->kind = kind;
	v->pane = (int)app->pane;
	v->grouped = false;
	v->said[0] = '\0';
	all_groups(v);
	begin_anew(app);
}

/* Results ----------------------------------------------------------------------------------------
 */

static void take_rows(struct letters *v, struct work *w)
{
	v->reading = NULL;
	if (w->err.rc) {
		snprintf(v->error, sizeof(v->error), "%s", w->err.msg);
		return;
	}
	v->error[0] = '\0';
	letters_job_free(v->read);
	v->read = w->letters;
	w->letters = NULL;
	keep_marks(v);
	arrange(v);
	note_selected(v);
}

static void take_answer(struct app *app, struct work *w)
{
	struct letters *v = &app->letters;
	struct letters_job *j = w->letters;
	struct buf b = BUF_INIT(2000);
	v->running = NULL;
	v->said_bad = w->err.rc != TA_OK;
	if (w->err.rc)
		buf_adds(&b, w->err.msg);
	else
		retry_answer_text(&j->sum, &b);
	if (!w->err.rc && atomic_load(&j->cancel))
		buf_addf(&b, "; ended by hand after %lld of %zu", (long long)atomic_load(&j->done),
			j->npicks);
	snprintf(v->said, sizeof(v->said), "%.290s", buf_str(&b));
	v->said[strcspn(v->said, "\n")] = '\0';
	buf_release(&b);
	if (!w->err.rc)
		v->nmarks = 0;
	if (letters_here(app))
		letters_tick(app, true);
	else
		app_toast(app, v->said_bad, "%s", v->said);
	app->todo |= TODO_REFRESH;
}

void letters_take(struct app *app, struct work *w)
{
	if (w->letters->what == LETTERS_RETRY)
		take_answer(app, w);
	else if (w == app->letters.reading)
		take_rows(&app->letters, w);
}

/* Actions ----------------------------------------------------------------------------------------
 */

/* "10 at px-181, 2 at px-402 and others". */
static void per_pixel(const struct app *app, const struct retry_pick *p, size_t n, struct buf *b)
{
	int32_t seen[4];
	size_t nseen = 0;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0, same = 0;
		while (k < nseen && seen[k] != p[i].pixel_id)
			k++;
		if (k < nseen)
			continue;
		if (nseen == 3) {
			buf_adds(b, ", others");
			return;
		}
		seen[nseen++] = p[i].pixel_id;
		for (size_t m = i; m < n; m++)
			same += p[m].pixel_id == p[i].pixel_id;
		const struct view_pixel *px = data_pixel(&app->data, p[i].pixel_id);
		buf_addf(b, "%s%zu at %.24s", nseen > 1 ? ", " : "", same, px ? px->name : "?");
	}
}

/* The caller's picks become the question's. */
static void ask_retry(struct app *app, struct retry_pick *p, size_t n)
{
	struct letters *v = &app->letters;
	struct question *q = &app->edit.ask;
	struct buf b = BUF_INIT(1000);
	per_pixel(app, p, n, &b);
	free(v->asked);
	v->asked = p;
	v->nasked = n;
	*q = (struct question){.kind = ASK_RETRY};
	snprintf(q->text, sizeof(q->text), "Try %zu deliver%s now? %.120s", n, n == 1 ? "y" : "ies",
		buf_str(&b));
	buf_release(&b);
}

void letters_confirmed(struct app *app)
{
	struct letters *v = &app->letters;
	if (v->running) {
		app_toast(app, true, "one thing at a time: an order is still under way");
		return;
	}
	struct work *w = job(app, LETTERS_RETRY);
	struct letters_job *j = w->letters;
	j->picks = arena_alloc(&j->mem, (v->nasked + 1) * sizeof(*j->picks));
	memcpy(j->picks, v->asked, v->nasked * sizeof(*j->picks));
	j->npicks = v->nasked;
	j->actor = arena_strdup(&j->mem, audit_actor());
	v->running = w;
	v->said[0] = '\0';
	editor_post(app, w);
}

bool letters_cancel(struct app *app)
{
	struct letters *v = &app->letters;
	if (!v->running || atomic_load(&v->running->letters->cancel))
		return false;
	atomic_store(&v->running->letters->cancel, true);
	return true;
}

static void replay(struct app *app, struct retry_pick *p, size_t n)
{
	if (app->inspect.pinned) /* over what it was opened from */
		app_request(app, REQ_BACK);
	replay_begin(app, p, n);
}

static void again(struct app *app)
{
	struct letters *v = &app->letters;
	size_t n = 0;
	if (at_refuses(app))
		return;
	struct retry_pick *p = letters_picks(v, &n);
	if (!n) {
		free(p);
		app_toast(app, false, "nothing is marked or selected");
	} else if (v->kind == LETTERS_EXPIRING) {
		ask_retry(app, p, n);
	} else {
		replay(app, p, n);
	}
}

void letters_again(struct app *app)
{
	const struct view_row *row = feed_selected(&app->feed);
	if (app->inspect.pinned)
		row = &app->inspect.pin;
	for (size_t i = 0; row && i < app->inspect.nroutes; i++) /* as last read */
		if (app->inspect.routes[i].id == row->id &&
			app->inspect.routes[i].pixel_id == row->pixel_id)
			row = &app->inspect.routes[i];
	if (at_refuses(app))
		return;
	if (!row || !row->pixel_id) {
		app_toast(app, false, row ? "this event went to no pixel" : "no event is selected");
		return;
	}
	struct retry_pick *p = ta_alloc(sizeof(*p));
	*p = (struct retry_pick){row->id, row->pixel_id};
	if (row->state == DISP_RETRYING) {
		ask_retry(app, p, 1);
	} else if (disposition_final(row->state)) {
		replay(app, p, 1);
	} else {
		free(p);
		app_toast(app, false, "it is %s: its first attempt is still to come",
			row->state < 0 ? "not routed yet" : disposition_word(row->state));
	}
}

static void write_rows(struct app *app)
{
	const struct letters *v = &app->letters;
	struct ta_err err = {0};
	struct buf b = BUF_INIT(64u << 20);
	char name[256] = "";
	int n = 0;
	const char *const heads[] = {
		"event", "pixel", "store", "name", "label", "state", "reason", "code", "message"};
	export_cells(&b, heads, TA_COUNT(heads));
	for (int i = 0; i < v->nshown; i++) {
		const struct letter *l = &v->read->rows[v->shown[i]];
		char id[24];
		if (v->nmarks && !letters_marked(v, l))
			continue;
		n++;
		snprintf(id, sizeof(id), "%lld", (long long)l->event_id);
		const char *const cells[] = {id, l->pixel, l->store, event_word(l->name), l->label,
			disposition_word(l->state), reason_word(l->reason), l->code, l->message};
		export_cells(&b, cells, TA_COUNT(cells));
	}
	if (!n)
		app_toast(app, false, "there is nothing to write");
	else if (export_bytes(&b, v->kind == LETTERS_DEAD ? "dead" : "expiring", app->real_us, name,
			 &err))
		app_toast(app, true, "%s", err.msg);
	else
		app_toast(
			app, false, "wrote %d deliver%s to %.150s", n, n == 1 ? "y" : "ies", name);
	buf_release(&b);
}

/* The events' ids with commas between, as --ids takes them. */
static void copy(struct app *app)
{
	size_t n = 0;
	struct retry_pick *p = letters_picks(&app->letters, &n);
	buf_clear(&app->copy);
	for (size_t i = 0; i < n && app->copy.len < 8000; i++)
		if (!i || p[i].event_id != p[i - 1].event_id) {
			buf_adds(&app->copy, app->copy.len ? "," : "");
			buf_addi(&app->copy, p[i].event_id);
		}
	free(p);
	app_toast(app, false,
		n ? "the ids went to the clipboard (if the terminal allows)" : "nothing to copy");
}

/* Keys -------------------------------------------------------------------------------------------
 */

static void narrow_to_group(struct app *app)
{
	struct letters *v = &app->letters;
	if (!v->read || v->groups.sel >= (int)v->read->ngroups)
		return;
	const struct dead_group *g = &v->read->groups[v->groups.sel];
	all_groups(v);
	v->reason = v->by == DEAD_BY_REASON ? g->reason : -1;
	v->pixel_id = v->by == DEAD_BY_PIXEL ? g->pixel_id : 0;
	v->any_code = v->by != DEAD_BY_CODE;
	snprintf(v->code, sizeof(v->code), "%.39s", strcmp(g->what, "-") == 0 ? "" : g->what);
	snprintf(v->group, sizeof(v->group), "%s %.60s", dead_by_word(v->by), g->what);
	v->grouped = false;
	begin_anew(app);
}

/* The list, by reason, by code, by pixel, and around. */
static void next_grouping(struct app *app)
{
	struct letters *v = &app->letters;
	if (v->kind != LETTERS_DEAD) {
		app_toast(app, false, "what waits is a list; :dead has groups");
		return;
	}
	v->by = !v->grouped ? DEAD_BY_REASON : (enum dead_by)((int)v->by + 1);
	v->grouped = v->by < DEAD_BYS;
	v->by = v->grouped ? v->by : DEAD_BY_REASON;
	v->groups = (struct list){0};
	all_groups(v);
	begin_anew(app);
}

static void open_selected(struct app *app)
{
	const struct letter *l = letters_selected(&app->letters);
	if (app->letters.grouped)
		narrow_to_group(app);
	else if (l)
		app_inspect(app, l->event_id, l->pixel_id);
}

/* One level back: the filter, the group, the list. */
static void back(struct app *app)
{
	struct letters *v = &app->letters;
	if (letters_cancel(app))
		return;
	if (*v->words) {
		letters_narrow(app, "");
	} else if (*v->group) {
		all_groups(v);
		v->grouped = true;
		begin_anew(app);
	} else {
		v->open = false;
		v->reading = NULL;
	}
}

static bool marks(struct letters *v, enum req r)
{
	if (r == REQ_MARK) {
		mark_selected(v);
		v->list.sel = TA_MIN(v->list.sel + 1, TA_MAX(v->nshown - 1, 0));
		note_selected(v);
	} else if (r == REQ_MARK_ALL) {
		if (v->read)
			mark_all(v);
	} else if (r == REQ_UNMARK) {
		v->nmarks = 0;
	} else {
		return false;
	}
	return true;
}

bool letters_request(struct app *app, enum req r)
{
	struct letters *v = &app->letters;
	int ngroups = v->read ? (int)v->read->ngroups : 0;
	if (v->grouped ? list_move(&v->groups, r, ngroups) : list_move(&v->list, r, v->nshown)) {
		note_selected(v);
		return true;
	}
	if (!v->grouped && marks(v, r))
		return true;
	switch ((int)r) {
	case REQ_BACK:
	case REQ_CLOSE:
		back(app);
		return true;
	case REQ_OPEN:
		open_selected(app);
		return true;
	case REQ_SEND_AGAIN:
		if (v->grouped)
			app_toast(app, false, "Enter opens the group; there rows can be marked");
		else
			again(app);
		return true;
	case REQ_GROUP:
		next_grouping(app);
		return true;
	case REQ_WRITE:
		write_rows(app);
		return true;
	case REQ_COPY:
		copy(app);
		return true;
	case REQ_REFRESH:
		letters_tick(app, true);
		return true;
	default:
		return false;
	}
}
