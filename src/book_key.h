/* The identities of an event in our books (DESIGN 4). */
#ifndef TA_BOOK_KEY_H
#define TA_BOOK_KEY_H

#include <stdbool.h>
#include <stdint.h>

#define BOOK_KEY_LEN 16
#define WIRE_ID_MAX  64

/* First half of the SHA-256 of "<store uid in hex>/<kind>/<natural id>". */
void book_key(const uint8_t store_uid[16], const char *kind, const char *natural_id,
	uint8_t out[BOOK_KEY_LEN]);
/* The wire id of an event whose own id cannot be used: 32 hex digits of the same digest. */
void book_wire_id(const uint8_t key[BOOK_KEY_LEN], char out[WIRE_ID_MAX + 1]);
/* [A-Za-z0-9_-]{8,64}; NULL is not. */
bool wire_id_valid(const char *id);

#endif
