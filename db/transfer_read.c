/* Reading a document of stores, pixels and rules: shape, names, every field by its description. */
#include "db/transfer.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/json.h"
#include "src/map.h"

#include <stdio.h>
#include <string.h>

#define VALUE_SHOWN 120
#define VALUE_MAX   (64u << 10)
#define MEMBERS_MAX 1000 /* of an object; far more than a table has fields */

const struct table *transfer_table(size_t n)
{
	const struct table *t;
	for (size_t i = 0; (t = table_at(i)); i++)
		if (t->document && n-- == 0)
			return t;
	return NULL;
}

void transfer_problem(
	struct transfer_doc *doc, const char *path, const char *value, const char *rule)
{
	if (doc->nproblems++ >= TRANSFER_PROBLEMS_MAX)
		return;
	doc->problems[doc->nproblems - 1] =
		(struct transfer_problem){.path = arena_strdup(doc->mem, path),
			.value = arena_strdup(doc->mem, value ? value : ""),
			.rule = arena_strdup(doc->mem, rule)};
}

/* Where text that is shown is cut: never inside a character. */
static size_t cut(const char *s, size_t n)
{
	if (n <= VALUE_SHOWN)
		return n;
	for (n = VALUE_SHOWN; n && ((unsigned char)s[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

/* A value as JSON, cut where it is long. */
static const char *shown(struct arena *a, const struct jv *v)
{
	struct buf b = BUF_INIT(TRANSFER_MAX);
	if (!v)
		return "";
	jv_write(&b, v);
	const char *s = buf_str(&b);
	size_t n = cut(s, b.len);
	const char *copy = arena_fmt(a, "%.*s%s", (int)n, s, n < b.len ? "…" : "");
	buf_release(&b);
	return copy;
}

static void refuse(struct transfer_doc *doc, const char *path, const struct jv *v, const char *rule)
{
	transfer_problem(doc, path, shown(doc->mem, v), rule);
}

/* "$.a" + "b": a name that is no plain word is quoted. */
static const char *below(struct arena *a, const char *path, const struct jv *member)
{
	struct buf b = BUF_INIT(TRANSFER_MAX);
	struct jv name = {.type = JV_STRING, .s = member->key, .len = member->key_len};
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t n = member->key_len;
	if (n && n <= VALUE_SHOWN && strspn(member->key, plain) == n)
		return arena_fmt(a, "%s.%s", path, member->key);
	jv_write(&b, &name);
	const char *copy =
		arena_fmt(a, "%s[%.*s]", path, (int)cut(buf_str(&b), b.len), buf_str(&b));
	buf_release(&b);
	return copy;
}

/* A member that stands twice: JSON leaves open which one counts, so none does. */
static bool repeated(const struct jv *first, const struct jv *m)
{
	for (const struct jv *o = first; o && o != m; o = o->next)
		if (o->key_len == m->key_len && memcmp(o->key, m->key, m->key_len) == 0)
			return true;
	return false;
}

/* Fields -------------------------------------------------------------------------------------- */

/* The field's value as text; NULL when it is of another type. `want` says which it should be. */
static const char *text_of(
	struct arena *a, const struct ta_field *f, const struct jv *v, const char **want)
{
	struct buf b = BUF_INIT(VALUE_MAX);
	int64_t us;
	*want = f->type == FIELD_BOOL   ? "must be true or false"
		: f->type == FIELD_INT  ? "must be a number"
		: f->type == FIELD_TIME ? "must be a time such as \"2026-11-22T10:00:00Z\""
					: "must be a text";
	if (v->type == JV_NULL)
		return "";
	if (f->type == FIELD_BOOL)
		return v->type == JV_BOOL ? v->b ? "true" : "false" : NULL;
	if (f->type == FIELD_INT)
		return v->type == JV_NUMBER ? v->s : NULL;
	if (f->flags & FIELD_TWIN && v->type != JV_STRING) {
		jv_write(&b, v);
		const char *copy = b.over ? NULL : arena_strdup(a, buf_str(&b));
		*want = "is too long";
		buf_release(&b);
		return copy;
	}
	if (v->type != JV_STRING)
		return NULL;
	if (f->type == FIELD_TIME)
		return clock_parse(v->s, &us) ? arena_fmt(a, "%lld", (long long)us) : NULL;
	return v->s;
}

const char *transfer_sentence(const char *msg, const char *field)
{
	size_t n = strlen(field);
	bool twice = n && strncmp(msg, field, n) == 0 && strncmp(msg + n, ": ", 2) == 0;
	return twice ? msg + n + 2 : msg;
}

static void read_field(
	struct transfer_doc *doc, struct transfer_row *row, const struct jv *m, const char *path)
{
	const struct table *t = row->table;
	int i = field_index(t->fields, t->nfields, m->key);
	const struct ta_field *f = i < 0 ? NULL : &t->fields[i];
	struct buf b = BUF_INIT(VALUE_MAX);
	struct ta_err err = {0};
	const char *want = "";
	if (!f) {
		refuse(doc, path, m, arena_fmt(doc->mem, "a %s has no such field", t->word));
		return;
	}
	row->bad[i] = true;
	if (f->flags & FIELD_SECRET) {
		transfer_problem(doc, path, "\"***\"",
			"a secret does not stand in the clear in a document: set it after the import, "
			"or export with --with-secrets");
		return;
	}
	if (f->flags & FIELD_READONLY) {
		refuse(doc, path, m, "is set by the program itself");
		return;
	}
	const char *text = text_of(doc->mem, f, m, &want);
	if (!text) {
		refuse(doc, path, m, want);
		return;
	}
	if (field_clean(f, text, &b, &err)) {
		refuse(doc, path, m, transfer_sentence(err.msg, f->name));
	} else {
		row->v[i] = text;
		row->bad[i] = false;
	}
	buf_release(&b);
}

/* Rows ---------------------------------------------------------------------------------------- */

/* The field that says whose a row is: a pixel is its store's. */
static int owner_field(const struct table *t)
{
	for (size_t i = 0; i < t->nfields; i++)
		if (t->fields[i].type == FIELD_REF && (t->fields[i].flags & FIELD_REQUIRED))
			return (int)i;
	return -1;
}

const char *transfer_name(const struct table *t, const char *const *v, struct arena *a)
{
	int owner = owner_field(t), name = field_index(t->fields, t->nfields, "name");
	if (name < 0 || !v[name] || !*v[name])
		return NULL;
	if (owner < 0)
		return v[name];
	return v[owner] && *v[owner] ? arena_fmt(a, "%s/%s", v[owner], v[name]) : NULL;
}

static void read_uid(
	struct transfer_doc *doc, struct transfer_row *row, const struct jv *m, const char *path)
{
	uint8_t uid[16];
	if (m->type != JV_STRING || m->len != 32 || !hex_decode(m->s, 32, uid))
		refuse(doc, path, m, "must be a text of 32 hexadecimal digits");
	else
		row->uid = m->s;
}

/* A pixel named without its store is one of the row's store. */
static void complete_names(struct transfer_doc *doc, struct transfer_row *row)
{
	const struct table *t = row->table;
	int store = field_index(t->fields, t->nfields, "store");
	for (size_t i = 0; i < t->nfields; i++) {
		const struct ta_field *f = &t->fields[i];
		const struct table *to = f->type == FIELD_REF ? table_get(f->ref) : NULL;
		const char *v = row->v[i];
		if (to && owner_field(to) >= 0 && v && *v && !strchr(v, '/') && store >= 0 &&
			row->v[store] && *row->v[store])
			row->v[i] = arena_fmt(doc->mem, "%s/%s", row->v[store], v);
	}
}

static void read_row(struct transfer_doc *doc, const struct table *t, const struct jv *o,
	struct transfer_row *row)
{
	bool named = false;
	row->table = t;
	row->v = arena_alloc(doc->mem, t->nfields * sizeof(*row->v));
	row->bad = arena_alloc(doc->mem, t->nfields * sizeof(*row->bad));
	if (o->type != JV_OBJECT || jv_count(o) > MEMBERS_MAX) {
		refuse(doc, row->path, o, "must be an object with a row's fields");
		row->failed = true;
		return;
	}
	for (const struct jv *m = o->child; m; m = m->next) {
		const char *path = below(doc->mem, row->path, m);
		named |= strcmp(m->key, "name") == 0;
		if (repeated(o->child, m))
			refuse(doc, path, m, "stands twice");
		else if (t->keeps_uid && strcmp(m->key, "uid") == 0)
			read_uid(doc, row, m, path);
		else
			read_field(doc, row, m, path);
	}
	complete_names(doc, row);
	row->name = transfer_name(t, row->v, doc->mem);
	int owner = owner_field(t);
	if (!row->name && owner >= 0 && !row->v[owner] && !row->bad[owner])
		transfer_problem(doc, row->path, "",
			arena_fmt(doc->mem, "%s is missing: a %s goes by it", t->fields[owner].name,
				t->word));
	if (!named)
		transfer_problem(doc, row->path, "",
			arena_fmt(doc->mem, "name is missing: a %s goes by it", t->word));
	row->failed = !row->name;
}

static void read_rows(struct transfer_doc *doc, const struct table *t, const struct jv *list)
{
	struct map names = MAP_INIT(doc->mem);
	size_t i = 0;
	for (const struct jv *o = list->child; o; o = o->next, i++) {
		struct transfer_row *row = &doc->rows[doc->n++];
		row->path = arena_fmt(doc->mem, "$.%s[%zu]", t->document, i);
		read_row(doc, t, o, row);
		if (!row->name)
			continue;
		const struct transfer_row *other = map_get(&names, row->name, strlen(row->name));
		if (other) {
			transfer_problem(doc, arena_fmt(doc->mem, "%s.name", row->path),
				arena_fmt(doc->mem, "\"%s\"", row->name),
				arena_fmt(doc->mem, "%s has the same name", other->path));
			row->failed = true;
		} else {
			map_put(&names, row->name, strlen(row->name), row);
		}
	}
}

/* The document -------------------------------------------------------------------------------- */

static const struct table *table_named(const char *document)
{
	const struct table *t;
	for (size_t i = 0; (t = transfer_table(i)); i++)
		if (strcmp(t->document, document) == 0)
			return t;
	return NULL;
}

static bool known_member(const char *name)
{
	return strcmp(name, "format") == 0 || strcmp(name, "version") == 0 ||
	       strcmp(name, "secrets") == 0 || table_named(name);
}

/* Whether the rest can be understood. */
static bool read_head(struct transfer_doc *doc, const struct jv *root)
{
	const struct jv *version = jv_get(root, "version"), *format = jv_get(root, "format");
	int64_t n = 0;
	if (root->type != JV_OBJECT || jv_count(root) > MEMBERS_MAX) {
		refuse(doc, "$", root, "must be the object that an export is");
		return false;
	}
	if (!format || format->type != JV_STRING || strcmp(format->s, TRANSFER_FORMAT) != 0) {
		refuse(doc, "$.format", format, "must be \"" TRANSFER_FORMAT "\"");
		return false;
	}
	if (!version || version->type != JV_NUMBER || !jv_int_of(version, &n) || n < 1) {
		refuse(doc, "$.version", version, "must be a whole number from 1 on");
		return false;
	}
	if (n > TRANSFER_VERSION) {
		refuse(doc, "$.version", version,
			arena_fmt(doc->mem,
				"is of a newer trackai; this one reads versions up to %d",
				TRANSFER_VERSION));
		return false;
	}
	return true;
}

static void check_members(struct transfer_doc *doc, const struct jv *root)
{
	for (const struct jv *m = root->child; m; m = m->next) {
		const struct table *t = table_named(m->key);
		const char *path = below(doc->mem, "$", m);
		if (repeated(root->child, m))
			refuse(doc, path, m, "stands twice");
		else if (!known_member(m->key))
			refuse(doc, path, m, "a document has no such member");
		else if (t && m->type != JV_ARRAY)
			refuse(doc, path, m, "must be a list");
		else if (t && jv_count(m) > TRANSFER_ROWS_MAX)
			transfer_problem(doc, path, "",
				arena_fmt(doc->mem, "has %zu rows, %d are the limit", jv_count(m),
					TRANSFER_ROWS_MAX));
	}
}

static void read_lists(struct transfer_doc *doc, const struct jv *root)
{
	const struct table *t;
	size_t rows = 1, tables = 0;
	for (; (t = transfer_table(tables)); tables++)
		rows += jv_count(jv_array(root, t->document));
	doc->rows = arena_alloc(doc->mem, rows * sizeof(*doc->rows));
	doc->given = arena_alloc(doc->mem, (tables + 1) * sizeof(*doc->given));
	for (size_t i = 0; (t = transfer_table(i)); i++) {
		const struct jv *list = jv_array(root, t->document);
		if (!list || jv_count(list) > TRANSFER_ROWS_MAX)
			continue;
		doc->given[doc->ngiven++] = t;
		read_rows(doc, t, list);
	}
}

/* Line and column, from 1. */
static const char *place(struct arena *a, const char *text, size_t at)
{
	size_t line = 1, column = 1;
	for (size_t i = 0; i < at; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	return arena_fmt(a, "line %zu, column %zu", line, column);
}

void transfer_read(struct arena *mem, const char *text, size_t n, struct transfer_doc *out)
{
	const struct jv *root = NULL;
	size_t at = 0;
	*out = (struct transfer_doc){.mem = mem,
		.problems = arena_alloc(mem, TRANSFER_PROBLEMS_MAX * sizeof(*out->problems))};
	if (n > TRANSFER_MAX) {
		transfer_problem(out, "$", "", "is larger than 64 MiB");
		return;
	}
	enum jv_status status = jv_parse(mem, text, n, &root, &at);
	if (status != JV_FINE) {
		transfer_problem(out, "$", "",
			arena_fmt(mem, "%s at %s",
				status == JV_TOO_DEEP ? "is nested too deeply" : "is not JSON",
				place(mem, text, TA_MIN(at, n))));
		return;
	}
	if (!read_head(out, root))
		return;
	check_members(out, root);
	read_lists(out, root);
	const struct jv *secrets = jv_get(root, "secrets");
	if (secrets && secrets->type != JV_OBJECT)
		refuse(out, "$.secrets", secrets, "must be an object");
	else
		out->secrets = secrets;
}
