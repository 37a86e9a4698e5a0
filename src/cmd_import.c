/* trackai import: makes the database say what a document of `trackai export` says. */
#include "db/audit.h"
#include "db/conn.h"
#include "db/transfer.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_file.h"
#include "src/cmd_out.h"
#include "src/cmd_transfer.h"
#include "src/opt.h"

#include <stdio.h>
#include <string.h>

struct options {
	const char *file, *passphrase;
	bool dry_run, prune, json, without_secrets;
};

static enum ta_rc parse(int argc, char **argv, struct options *o, struct ta_err *err)
{
	const struct opt opts[] = {{"dry-run", OPT_FLAG, &o->dry_run, "say what would change"},
		{"prune", OPT_FLAG, &o->prune, "remove what the document has not"},
		{"passphrase-file", OPT_STR, &o->passphrase, "its first line opens the secrets"},
		{"without-secrets", OPT_FLAG, &o->without_secrets, "leave the secrets alone"},
		{"json", OPT_FLAG, &o->json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, err);
	if (!rc && argc != 2)
		rc = ta_fail(err, TA_USAGE, "%s",
			argc < 2 ? "which file? Give its name, or - for standard input"
				 : "one file, no more");
	if (!rc && o->passphrase && o->without_secrets)
		rc = ta_fail(err, TA_USAGE,
			"--passphrase-file and --without-secrets exclude each other");
	o->file = rc ? NULL : argv[1];
	return rc;
}

/* Output ------------------------------------------------------------------------------------------
 */

static json_t *text_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *change_json(const struct transfer_change *c)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "table", c->table->word, "name", c->name, "change",
		transfer_op_word(c->op));
	json_t *fields = json_object();
	for (size_t i = 0; i < c->nfields; i++)
		json_object_set_new(fields, c->fields[i].name,
			json_pack("{s:o, s:o}", "before", text_or_null(c->fields[i].before),
				"after", text_or_null(c->fields[i].after)));
	json_object_set_new(o, "fields", fields);
	return o;
}

static size_t count(const struct transfer_result *r, enum transfer_op op)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		n += r->changes[i].op == op;
	return n;
}

static void print_json(
	const struct options *o, const struct transfer_doc *doc, const struct transfer_result *r)
{
	json_t *rows = json_array(), *problems = json_array(), *notes = json_array();
	json_t *counts = json_object();
	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(rows, change_json(&r->changes[i]));
	for (size_t i = 0; i < r->nnotes; i++)
		json_array_append_new(notes, json_string(r->notes[i]));
	for (size_t i = 0; i < TA_MIN(doc->nproblems, (size_t)TRANSFER_PROBLEMS_MAX); i++)
		json_array_append_new(problems,
			json_pack("{s:s, s:s, s:s}", "path", doc->problems[i].path, "value",
				doc->problems[i].value, "rule", doc->problems[i].rule));
	for (int op = TRANSFER_ADDED; op <= TRANSFER_KEPT; op++)
		json_object_set_new(counts, transfer_op_word((enum transfer_op)op),
			json_integer((json_int_t)count(r, (enum transfer_op)op)));
	out_json(json_pack("{s:b, s:b, s:o, s:o, s:o, s:o}", "dry_run", o->dry_run, "applied",
		r->applied, "counts", counts, "rows", rows, "problems", problems, "notes", notes));
}

static void print_clean(FILE *f, const char *text)
{
	struct buf b = BUF_INIT(TRANSFER_MAX);
	out_clean(&b, text);
	fputs(buf_str(&b), f);
	buf_release(&b);
}

static void print_problems(const struct transfer_doc *doc)
{
	size_t shown = TA_MIN(doc->nproblems, (size_t)TRANSFER_PROBLEMS_MAX);
	for (size_t i = 0; i < shown; i++) {
		const struct transfer_problem *p = &doc->problems[i];
		print_clean(stderr, p->path);
		fputs(*p->value ? " = " : "", stderr);
		print_clean(stderr, p->value);
		fputs(": ", stderr);
		print_clean(stderr, p->rule);
		fputc('\n', stderr);
	}
	if (doc->nproblems > shown)
		fprintf(stderr, "and %zu more\n", doc->nproblems - shown);
}

static void print_change(const struct transfer_change *c)
{
	static const char marks[] = {'+', '~', '=', '-', ' '};
	if (c->op == TRANSFER_UNCHANGED || c->op == TRANSFER_KEPT)
		return;
	printf("%c %s ", marks[c->op], c->table->word);
	print_clean(stdout, c->name);
	putchar('\n');
	for (size_t i = 0; i < c->nfields; i++) {
		const struct transfer_field *f = &c->fields[i];
		printf("    %s: ", f->name);
		if (c->op == TRANSFER_CHANGED) {
			print_clean(stdout, f->before ? f->before : "(not set)");
			fputs(" -> ", stdout);
		}
		print_clean(stdout, f->after ? f->after : "(not set)");
		putchar('\n');
	}
}

static void print_people(const struct options *o, const struct transfer_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		print_change(&r->changes[i]);
	printf("%s%zu added, %zu changed, %zu removed, %zu unchanged\n",
		o->dry_run ? "would be: " : "", count(r, TRANSFER_ADDED),
		count(r, TRANSFER_CHANGED), count(r, TRANSFER_REMOVED),
		count(r, TRANSFER_UNCHANGED));
	if (count(r, TRANSFER_KEPT))
		printf("%zu are not in the document and stay; --prune would remove them\n",
			count(r, TRANSFER_KEPT));
	for (size_t i = 0; i < r->nnotes; i++) {
		fputs("trackai import: ", stderr);
		print_clean(stderr, r->notes[i]);
		fputc('\n', stderr);
	}
}

/* The run
 * ------------------------------------------------------------------------------------------ */

static enum ta_rc unlock(struct transfer_doc *doc, const struct options *o, struct ta_err *err)
{
	const char *pass = NULL;
	if (!doc->secrets || o->without_secrets)
		return TA_OK;
	if (!o->passphrase)
		return ta_fail(err, TA_USAGE,
			"the document holds secrets: give --passphrase-file, or --without-secrets to "
			"leave them alone");
	enum ta_rc rc = transfer_passphrase(o->passphrase, doc->mem, &pass, err);
	return rc ? rc : transfer_unlock(doc, pass, strlen(pass), err);
}

static const char *what_of(const struct options *o, struct arena *a)
{
	const char *slash = strrchr(o->file, '/');
	const char *name = slash ? slash + 1 : o->file;
	return arena_fmt(a, "import %.100s", strcmp(name, "-") == 0 ? "" : name);
}

static enum ta_rc run(struct db *db, const struct options *o, struct transfer_doc *doc,
	struct transfer_result *r, struct ta_err *err)
{
	struct transfer_keys keys = {0};
	struct transfer_import how = {.actor = audit_actor(),
		.what = what_of(o, doc->mem),
		.dry_run = o->dry_run,
		.prune = o->prune,
		.keys = &keys};
	enum ta_rc rc = transfer_keys_load(db, &keys, err);
	if (!rc)
		rc = transfer_apply(db, doc, &how, r, err);
	crypto_wipe(&keys, sizeof(keys));
	return rc;
}

static enum ta_rc refuse(const struct transfer_doc *doc, struct ta_err *err)
{
	return ta_fail(err, TA_INVALID, "the document has %zu problem%s; nothing was changed",
		doc->nproblems, doc->nproblems == 1 ? "" : "s");
}

int cmd_import(int argc, char **argv)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	struct options o = {0};
	struct transfer_doc doc = {0};
	struct transfer_result result = {0};
	struct buf text = BUF_INIT(TRANSFER_MAX + 8192);
	enum ta_rc rc = parse(argc, argv, &o, &err);
	if (!rc)
		rc = cmd_read_file(o.file, TRANSFER_MAX, &text, &err);
	if (!rc) {
		transfer_read(&mem, buf_str(&text), text.len, &doc);
		rc = unlock(&doc, &o, &err);
	}
	if (!rc)
		rc = cmd_db_ready("import", &db, &err);
	if (!rc)
		rc = run(db, &o, &doc, &result, &err);
	if (!rc && o.json)
		print_json(&o, &doc, &result);
	if (!rc && doc.nproblems) {
		print_problems(&doc);
		rc = refuse(&doc, &err);
	} else if (!rc && !o.json) {
		print_people(&o, &result);
	}
	int status = rc ? cmd_fail("import", &err) : 0;
	db_close(db);
	buf_release(&text);
	arena_release(&mem);
	return status;
}
