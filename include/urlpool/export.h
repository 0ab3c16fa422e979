#ifndef URLPOOL_EXPORT_H
#define URLPOOL_EXPORT_H

#if defined(__GNUC__) || defined(__clang__)
#define URLPOOL_API          __attribute__((visibility("default")))
#define URLPOOL_MUST_USE     __attribute__((warn_unused_result))
#define URLPOOL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define URLPOOL_API
#define URLPOOL_MUST_USE
#define URLPOOL_PRINTF(f, a)
#endif

#ifdef __cplusplus
#define URLPOOL_BEGIN_DECLS extern "C" {
#define URLPOOL_END_DECLS   }
#else
#define URLPOOL_BEGIN_DECLS
#define URLPOOL_END_DECLS
#endif

/* In every duration, count and limit of an option struct: zero means the default, and these two
 * mean what zero cannot. */
#define URLPOOL_NO_TIMEOUT (-1) /* a duration without bound */
#define URLPOOL_NONE       (-2) /* zero itself */

#endif /* URLPOOL_EXPORT_H */
