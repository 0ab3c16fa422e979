/* The media type that goes with a file's name. */

#include <stdio.h>

#include "urlpool/form.h"

#include "support/count_of.h"
#include "support/run_tests.h"

#define UNKNOWN "application/octet-stream"

START_TEST(media_type__goes_with_the_ending)
{
    static const struct {
        const char *filename;
        const char *type;
    } rows[] = {
        {"image.jpg", "image/jpeg"                                                             },
        {"a.jpeg",    "image/jpeg"                                                             },
        {"a.png",     "image/png"                                                              },
        {"a.gif",     "image/gif"                                                              },
        {"a.webp",    "image/webp"                                                             },
        {"a.svg",     "image/svg+xml"                                                          },
        {"notsure",   UNKNOWN                                                                  },
        {"a.html",    "text/html"                                                              },
        {"a.htm",     "text/html"                                                              },
        {"a.css",     "text/css"                                                               },
        {"a.csv",     "text/csv"                                                               },
        {"a.js",      "text/javascript"                                                        },
        {"a.json",    "application/json"                                                       },
        {"a.xml",     "text/xml"                                                               },
        {"a.pdf",     "application/pdf"                                                        },
        {"a.txt",     "text/plain"                                                             },
        {"a.zip",     "application/zip"                                                        },
        {"a.7z",      "application/x-7z-compressed"                                            }, /* the first row of the table, and the last */
        {"a.zst",     "application/zstd"                                                       },
        {"a.wasm",    "application/wasm"                                                       },
        {"a.mp3",     "audio/mpeg"                                                             },
        {"a.mp4",     "video/mp4"                                                              },
        {"a.docx",    "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ck_assert_str_eq(urlpool_media_type_guess(rows[i].filename), rows[i].type);
    }
}
END_TEST

START_TEST(media_type__does_not_depend_on_case)
{
    ck_assert_str_eq(urlpool_media_type_guess("IMAGE.JPG"), "image/jpeg");
    ck_assert_str_eq(urlpool_media_type_guess("Page.Html"), "text/html");
}
END_TEST

START_TEST(media_type__is_that_of_the_outermost_ending)
{
    ck_assert_str_eq(urlpool_media_type_guess("a.txt.png"), "image/png");
    ck_assert_str_eq(urlpool_media_type_guess("a.tar.gz"), "application/gzip");
    ck_assert_str_eq(urlpool_media_type_guess("/dir.png/a.txt"), "text/plain");
    ck_assert_str_eq(urlpool_media_type_guess("/dir.png/a"), UNKNOWN);
}
END_TEST

START_TEST(media_type__of_the_unknown_is_bytes)
{
    static const char *const names[] = {"",    ".",      "..",     "a",      "a.",     ".png",
                                        "png", "..png",  "a.pn",   "a.pngx", "a.png ", "/.png",
                                        "a/",  "a.png/", "a.png?", "a.\xff", ".a/png"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        ck_assert_str_eq(urlpool_media_type_guess(names[i]), UNKNOWN);
    }
    ck_assert_str_eq(urlpool_media_type_guess(NULL), UNKNOWN);
}
END_TEST

RUN_TESTS("media_type", media_type__goes_with_the_ending, media_type__does_not_depend_on_case,
          media_type__is_that_of_the_outermost_ending, media_type__of_the_unknown_is_bytes)
