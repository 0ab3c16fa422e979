/* The main function of a fuzz target that runs as a plain test: every file of the directories
 * named, whole, cut at each offset, and with each byte changed once. */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MAX 65536

static void run_variants(const uint8_t *data, size_t size)
{
    static uint8_t changed[INPUT_BYTES_MAX];

    (void)LLVMFuzzerTestOneInput(data, size);
    for (size_t i = 0; i < size && size <= 1024; i++) {
        (void)LLVMFuzzerTestOneInput(data, i);
        (void)LLVMFuzzerTestOneInput(data + i, size - i);
        for (int bit = 0; bit < 8; bit++) {
            memcpy(changed, data, size);
            changed[i] ^= (uint8_t)(1 << bit);
            (void)LLVMFuzzerTestOneInput(changed, size);
        }
    }
}

static int run_file(const char *directory, const char *name)
{
    static uint8_t data[INPUT_BYTES_MAX];
    char path[4096];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    run_variants(data, fread(data, 1, sizeof(data), file));
    (void)fclose(file);
    return 0;
}

static int run_directory(const char *directory)
{
    DIR *entries = opendir(directory);
    int num_files = 0;

    if (entries == NULL) {
        perror(directory);
        return -1;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (run_file(directory, entry->d_name) != 0) {
            (void)closedir(entries);
            return -1;
        }
        num_files++;
    }
    (void)closedir(entries);
    return num_files;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int num_files = run_directory(argv[i]);

        if (num_files <= 0) {
            (void)fprintf(stderr, "no inputs in %s\n", argv[i]);
            return EXIT_FAILURE;
        }
        printf("%s: %d inputs, each with its variants\n", argv[i], num_files);
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
