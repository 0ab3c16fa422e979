/* What a file's name says of its media type: the common ones, as Python's mimetypes has them,
 * except where that knows none or an older one (RFC 9239 made JavaScript text). A compressed file
 * is what it is compressed with: a part of a form has no Content-Encoding that could say so. No
 * file of the machine is asked, so that the same name always gives the same type. */

#include <string.h>

#include "urlpool/form.h"

#include "base/count.h"
#include "base/span.h"

struct media_type {
    const char *ending;
    const char *name;
};

static const struct media_type media_types[] = {
    {"7z",          "application/x-7z-compressed"                                              },
    {"aac",         "audio/aac"                                                                },
    {"aif",         "audio/x-aiff"                                                             },
    {"aiff",        "audio/x-aiff"                                                             },
    {"au",          "audio/basic"                                                              },
    {"avi",         "video/x-msvideo"                                                          },
    {"avif",        "image/avif"                                                               },
    {"bin",         "application/octet-stream"                                                 },
    {"bmp",         "image/bmp"                                                                },
    {"bz2",         "application/x-bzip2"                                                      },
    {"c",           "text/plain"                                                               },
    {"css",         "text/css"                                                                 },
    {"csv",         "text/csv"                                                                 },
    {"doc",         "application/msword"                                                       },
    {"docx",        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"  },
    {"eml",         "message/rfc822"                                                           },
    {"eot",         "application/vnd.ms-fontobject"                                            },
    {"eps",         "application/postscript"                                                   },
    {"epub",        "application/epub+zip"                                                     },
    {"exe",         "application/octet-stream"                                                 },
    {"flac",        "audio/flac"                                                               },
    {"gif",         "image/gif"                                                                },
    {"gz",          "application/gzip"                                                         },
    {"h",           "text/plain"                                                               },
    {"h5",          "application/x-hdf5"                                                       },
    {"heic",        "image/heic"                                                               },
    {"heif",        "image/heif"                                                               },
    {"htm",         "text/html"                                                                },
    {"html",        "text/html"                                                                },
    {"ico",         "image/vnd.microsoft.icon"                                                 },
    {"ics",         "text/calendar"                                                            },
    {"jpe",         "image/jpeg"                                                               },
    {"jpeg",        "image/jpeg"                                                               },
    {"jpg",         "image/jpeg"                                                               },
    {"js",          "text/javascript"                                                          },
    {"json",        "application/json"                                                         },
    {"m3u",         "application/vnd.apple.mpegurl"                                            },
    {"m3u8",        "application/vnd.apple.mpegurl"                                            },
    {"m4a",         "audio/mp4"                                                                },
    {"md",          "text/markdown"                                                            },
    {"mhtml",       "message/rfc822"                                                           },
    {"mid",         "audio/midi"                                                               },
    {"midi",        "audio/midi"                                                               },
    {"mjs",         "text/javascript"                                                          },
    {"mkv",         "video/x-matroska"                                                         },
    {"mov",         "video/quicktime"                                                          },
    {"mp3",         "audio/mpeg"                                                               },
    {"mp4",         "video/mp4"                                                                },
    {"mpeg",        "video/mpeg"                                                               },
    {"mpg",         "video/mpeg"                                                               },
    {"odp",         "application/vnd.oasis.opendocument.presentation"                          },
    {"ods",         "application/vnd.oasis.opendocument.spreadsheet"                           },
    {"odt",         "application/vnd.oasis.opendocument.text"                                  },
    {"oga",         "audio/ogg"                                                                },
    {"ogg",         "audio/ogg"                                                                },
    {"ogv",         "video/ogg"                                                                },
    {"opus",        "audio/opus"                                                               },
    {"otf",         "font/otf"                                                                 },
    {"p12",         "application/x-pkcs12"                                                     },
    {"pdf",         "application/pdf"                                                          },
    {"pfx",         "application/x-pkcs12"                                                     },
    {"png",         "image/png"                                                                },
    {"ppt",         "application/vnd.ms-powerpoint"                                            },
    {"pptx",        "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"ps",          "application/postscript"                                                   },
    {"py",          "text/x-python"                                                            },
    {"qt",          "video/quicktime"                                                          },
    {"rar",         "application/vnd.rar"                                                      },
    {"rtf",         "application/rtf"                                                          },
    {"sh",          "application/x-sh"                                                         },
    {"so",          "application/octet-stream"                                                 },
    {"sql",         "application/sql"                                                          },
    {"svg",         "image/svg+xml"                                                            },
    {"swf",         "application/x-shockwave-flash"                                            },
    {"tar",         "application/x-tar"                                                        },
    {"tex",         "application/x-tex"                                                        },
    {"tgz",         "application/gzip"                                                         },
    {"tif",         "image/tiff"                                                               },
    {"tiff",        "image/tiff"                                                               },
    {"ts",          "video/mp2t"                                                               },
    {"tsv",         "text/tab-separated-values"                                                },
    {"ttf",         "font/ttf"                                                                 },
    {"txt",         "text/plain"                                                               },
    {"vcf",         "text/x-vcard"                                                             },
    {"vtt",         "text/vtt"                                                                 },
    {"wasm",        "application/wasm"                                                         },
    {"wav",         "audio/x-wav"                                                              },
    {"weba",        "audio/webm"                                                               },
    {"webm",        "video/webm"                                                               },
    {"webmanifest", "application/manifest+json"                                                },
    {"webp",        "image/webp"                                                               },
    {"woff",        "font/woff"                                                                },
    {"woff2",       "font/woff2"                                                               },
    {"xhtml",       "application/xhtml+xml"                                                    },
    {"xls",         "application/vnd.ms-excel"                                                 },
    {"xlsx",        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"        },
    {"xml",         "text/xml"                                                                 },
    {"xz",          "application/x-xz"                                                         },
    {"yaml",        "application/yaml"                                                         },
    {"yml",         "application/yaml"                                                         },
    {"zip",         "application/zip"                                                          },
    {"zst",         "application/zstd"                                                         },
};

/* What stands behind the last dot of the last segment; nothing when only dots stand before it:
 * ".profile" has no ending. */
static struct urlp_span ending_of(const char *filename)
{
    const char *slash = strrchr(filename, '/');
    const char *segment = slash != NULL ? slash + 1 : filename;
    const char *dot = strrchr(segment, '.');

    if (dot == NULL || segment + strspn(segment, ".") > dot) {
        return (struct urlp_span){0};
    }
    return urlp_span_of(dot + 1);
}

const char *urlpool_media_type_guess(const char *filename)
{
    struct urlp_span ending = filename != NULL ? ending_of(filename) : (struct urlp_span){0};

    for (size_t i = 0; i < URLP_COUNT_OF(media_types); i++) {
        if (urlp_span_is_nocase(ending, media_types[i].ending)) {
            return media_types[i].name;
        }
    }
    return "application/octet-stream";
}
