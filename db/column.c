#include "db/column.h"

#include <string.h>

/* The member of all rows, side by side. */
static void *gather(struct db_args *args, struct db_member m, size_t n, size_t size)
{
	char *values = arena_alloc(&args->mem, n * size);
	for (size_t i = 0; i < n; i++)
		memcpy(values + i * size, m.first + i * m.width, size);
	return values;
}

void db_column_i64(struct db_args *args, struct db_member m, size_t n)
{
	db_arg_i64s(args, gather(args, m, n, sizeof(int64_t)), n);
}

void db_column_i32(struct db_args *args, struct db_member m, size_t n)
{
	db_arg_i32s(args, gather(args, m, n, sizeof(int32_t)), n);
}

void db_column_i16(struct db_args *args, struct db_member m, size_t n)
{
	db_arg_i16s(args, gather(args, m, n, sizeof(int16_t)), n);
}

void db_column_enum(struct db_args *args, struct db_member m, size_t n)
{
	const unsigned *wide = gather(args, m, n, sizeof(*wide));
	int16_t *values = arena_alloc(&args->mem, n * sizeof(*values));
	for (size_t i = 0; i < n; i++)
		values[i] = (int16_t)wide[i];
	db_arg_i16s(args, values, n);
}

void db_column_bool(struct db_args *args, struct db_member m, size_t n)
{
	db_arg_bools(args, gather(args, m, n, sizeof(bool)), n);
}

void db_column_text(struct db_args *args, struct db_member m, size_t n)
{
	db_arg_texts(args, gather(args, m, n, sizeof(char *)), n);
}

void db_column_bytes(struct db_args *args, struct db_member m, size_t n)
{
	db_arg_bytess(args, gather(args, m, n, sizeof(struct db_bytes)), n);
}
