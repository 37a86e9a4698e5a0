#include "src/siphash.h"

struct state {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

/* Little-endian, whatever the machine. */
static uint64_t word_at(const uint8_t *p, size_t n)
{
	uint64_t w = 0;
	for (size_t i = 0; i < n; i++)
		w |= (uint64_t)p[i] << (8 * i);
	return w;
}

static void rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->a += s->b;
		s->c += s->d;
		s->b = rotate(s->b, 13) ^ s->a;
		s->d = rotate(s->d, 16) ^ s->c;
		s->a = rotate(s->a, 32);
		s->c += s->b;
		s->a += s->d;
		s->b = rotate(s->b, 17) ^ s->c;
		s->d = rotate(s->d, 21) ^ s->a;
		s->c = rotate(s->c, 32);
	}
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_LEN], const void *p, size_t n)
{
	const uint8_t *in = p;
	uint64_t low = word_at(key, 8), high = word_at(key + 8, 8);
	struct state s = {low ^ UINT64_C(0x736f6d6570736575), high ^ UINT64_C(0x646f72616e646f6d),
		low ^ UINT64_C(0x6c7967656e657261), high ^ UINT64_C(0x7465646279746573)};
	size_t left = n;
	for (; left >= 8; left -= 8, in += 8) {
		uint64_t m = word_at(in, 8);
		s.d ^= m;
		rounds(&s, 2);
		s.a ^= m;
	}
	uint64_t last = (uint64_t)n << 56 | word_at(in, left);
	s.d ^= last;
	rounds(&s, 2);
	s.a ^= last;
	s.c ^= 0xff;
	rounds(&s, 4);
	return s.a ^ s.b ^ s.c ^ s.d;
}
