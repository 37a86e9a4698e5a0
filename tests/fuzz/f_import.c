/* Documents of an import: whatever the bytes, reading ends in rows and named problems; a row
 * without problems has values that its table's own fields accept; secrets never show in a problem.
 */
#include "db/transfer.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/utf8.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct transfer_row *row)
{
	const struct table *t = row->table;
	TA_ASSERT(row->path && row->failed == (row->failed || !row->name));
	for (size_t i = 0; row->v && i < t->nfields; i++) {
		struct buf b = BUF_INIT(1 << 20);
		struct ta_err err = {0};
		TA_ASSERT(!row->bad[i] || !row->v[i]);
		TA_ASSERT(!row->v[i] || !(t->fields[i].flags & (FIELD_SECRET | FIELD_READONLY)));
		if (row->v[i] && t->fields[i].type != FIELD_REF)
			TA_ASSERT(field_clean(&t->fields[i], row->v[i], &b, &err) == TA_OK);
		buf_release(&b);
	}
}

static void check_problem(const struct transfer_problem *p)
{
	TA_ASSERT(p->path[0] == '$' && p->rule[0] && p->value);
	TA_ASSERT(utf8_valid(p->path, strlen(p->path)) && utf8_valid(p->value, strlen(p->value)));
	if (strstr(p->path, ".token") || strstr(p->path, ".webhook_secret"))
		TA_ASSERT(strlen(p->value) <= 200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct transfer_doc doc;
	transfer_read(&a, size ? (const char *)data : "", size, &doc);
	TA_ASSERT(doc.n == 0 || doc.ngiven > 0);
	for (size_t i = 0; i < doc.n; i++)
		check_row(&doc.rows[i]);
	for (size_t i = 0; i < TA_MIN(doc.nproblems, (size_t)TRANSFER_PROBLEMS_MAX); i++)
		check_problem(&doc.problems[i]);
	arena_release(&a);
	return 0;
}
