/* Files embedded at build time (src/embed.cmake). */
#ifndef TA_EMBED_H
#define TA_EMBED_H

#include <stddef.h>

struct embed_file {
	const char *name;          /* base name, NULL ends a list */
	const unsigned char *data; /* NUL-terminated; the NUL is not counted */
	size_t len;
};

extern const struct embed_file schema_files[]; /* db/schema/NNNN_name.sql, sorted */
extern const size_t schema_nfiles;

#endif
