/* Runs a fuzz target over stored inputs where libFuzzer is not there: every argument is a file or a
 * folder of files. The same code then also meets the inputs under gcc, in every test run. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t size = 0, cap = 4096, n;
	uint8_t *data = malloc(cap);

	if (!f || !data) {
		perror(path);
		exit(1);
	}
	while ((n = fread(data + size, 1, cap - size, f)) > 0) {
		size += n;
		if (size < cap)
			continue;
		uint8_t *more = realloc(data, cap *= 2);
		if (!more)
			abort();
		data = more;
	}
	fclose(f);
	/* A block of the exact size, so that a sanitizer sees a read behind the end. */
	uint8_t *exact = realloc(data, size ? size : 1);
	LLVMFuzzerTestOneInput(exact ? exact : data, size);
	free(exact ? exact : data);
	return 1;
}

static int replay(const char *path)
{
	struct stat st;
	struct dirent *entry;
	char below[4096];
	int n = 0;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return replay_file(path);
	DIR *dir = opendir(path);
	if (!dir) {
		perror(path);
		exit(1);
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		n += replay_file(below);
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++)
		n += replay(argv[i]);
	printf("%d inputs\n", n);
	return n ? 0 : 1;
}
