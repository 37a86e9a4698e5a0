/* Rows as array parameters: unnest($1::bigint[], …) appends a batch in one statement. */
#ifndef DB_COLUMN_H
#define DB_COLUMN_H

#include "db/conn.h"
#include "src/words.h"

#include <stddef.h>

/* One member of n rows as the next parameter: DB_COLUMN(&args, rows, n, event_id). Its type chooses
 * the array's: int64_t bigint[], int32_t int[], int16_t and the words' enums smallint[], bool
 * boolean[], strings text[], struct db_bytes bytea[]. Texts and bytes are copied; a NULL is an SQL
 * null. */
#define DB_COLUMN(args, rows, n, member)                                                           \
	_Generic(&((const __typeof__(*(rows)) *)(rows))->member,                                   \
		const int64_t *: db_column_i64,                                                    \
		const int32_t *: db_column_i32,                                                    \
		const int16_t *: db_column_i16,                                                    \
		const enum disposition *: db_column_enum,                                          \
		const enum reason *: db_column_enum,                                               \
		const bool *: db_column_bool,                                                      \
		const char *const *: db_column_text,                                               \
		const struct db_bytes *: db_column_bytes)(                                         \
		args, db_member(rows, offsetof(__typeof__(*(rows)), member), sizeof(*(rows))), n)

/* Where the member lies: in the first row, and how far it is to the next row's. */
struct db_member {
	const char *first;
	size_t width;
};
static inline struct db_member db_member(const void *rows, size_t offset, size_t width)
{
	return (struct db_member){rows ? (const char *)rows + offset : NULL, width};
}

void db_column_i64(struct db_args *args, struct db_member m, size_t n);
void db_column_i32(struct db_args *args, struct db_member m, size_t n);
void db_column_i16(struct db_args *args, struct db_member m, size_t n);
void db_column_enum(struct db_args *args, struct db_member m, size_t n);
void db_column_bool(struct db_args *args, struct db_member m, size_t n);
void db_column_text(struct db_args *args, struct db_member m, size_t n);
void db_column_bytes(struct db_args *args, struct db_member m, size_t n);

#endif
