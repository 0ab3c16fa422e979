/* The main function of a fuzz target that runs as a plain test, or over inputs by hand: each file
 * named and each file of a directory named, whole; and, up to a number, cut and with a bit changed,
 * spread evenly over all of them. "-" is the standard input. Which of them they are is always the
 * same. */

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MAX 1048576

/* struct inputs counts. */
struct inputs {
    long num_files, num_variants;
    long variants_each; /* of one file */
};

/* run copies the input into a block of its size, so that a sanitizer sees a read too far. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL) {
        exit(EXIT_FAILURE);
    }
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* run_variants tries every ninth to every one: a cut, or a change of one bit, at each offset. */
static void run_variants(uint8_t *data, size_t size, struct inputs *inputs)
{
    const long num = (long)size * 9;
    const long step = inputs->variants_each > 0 ? num / inputs->variants_each + 1 : 2 * num + 1;

    for (long i = step / 2; i < num; i += step) {
        const size_t at = (size_t)(i / 9);
        const int bit = (int)(i % 9);

        if (bit == 8) {
            run(data, at);
        } else {
            data[at] ^= (uint8_t)(1 << bit);
            run(data, size);
            data[at] ^= (uint8_t)(1 << bit);
        }
        inputs->num_variants++;
    }
}

static bool run_stream(FILE *file, struct inputs *inputs)
{
    static uint8_t data[INPUT_BYTES_MAX];
    const size_t size = fread(data, 1, sizeof(data), file);

    run(data, size);
    run_variants(data, size, inputs);
    inputs->num_files++;
    return true;
}

static bool run_file(const char *path, struct inputs *inputs)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        return false;
    }
    (void)run_stream(file, inputs);
    (void)fclose(file);
    return true;
}

/* each_file runs the files of a directory, or only counts them. */
static long each_file(const char *directory, struct inputs *inputs)
{
    struct dirent **entries = NULL;
    const int num = scandir(directory, &entries, NULL, alphasort);
    long num_files = 0;

    for (int i = 0; i < num; i++) {
        char path[4096];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            num_files += inputs == NULL || run_file(path, inputs);
        }
        free(entries[i]);
    }
    free(entries);
    return num_files;
}

static bool run_path(const char *path, long num_variants, struct inputs *inputs)
{
    struct stat status;

    if (strcmp(path, "-") == 0) {
        return run_stream(stdin, inputs);
    }
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        return run_file(path, inputs);
    }

    const long num_files = each_file(path, NULL);

    if (num_files == 0) {
        (void)fprintf(stderr, "no inputs in %s\n", path);
        return false;
    }
    inputs->variants_each = num_variants / num_files;
    return each_file(path, inputs) == num_files;
}

int main(int argc, char **argv)
{
    struct inputs inputs = {0};
    long num_variants = 0;
    int i = 1;

    if (argc > 2 && strcmp(argv[1], "--variants") == 0) {
        num_variants = strtol(argv[2], NULL, 10);
        i = 3;
    }
    for (; i < argc; i++) {
        if (!run_path(argv[i], num_variants, &inputs)) {
            return EXIT_FAILURE;
        }
    }
    printf("%ld inputs, %ld variants\n", inputs.num_files, inputs.num_variants);
    return inputs.num_files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
