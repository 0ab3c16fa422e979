#ifndef URLPOOL_EXPORT_H
#define URLPOOL_EXPORT_H

/* URLPOOL_API marks what is called from outside, to the linker and to a compiler (gcc) that is
 * given all files of the library at once. */
#if defined(__GNUC__) && !defined(__clang__)
#define URLPOOL_API __attribute__((visibility("default"), externally_visible))
#elif defined(__GNUC__) || defined(__clang__)
#define URLPOOL_API __attribute__((visibility("default")))
#else
#define URLPOOL_API
#endif

#if defined(__GNUC__) || defined(__clang__)
#define URLPOOL_MUST_USE     __attribute__((warn_unused_result))
#define URLPOOL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define URLPOOL_MALLOC       __attribute__((malloc))
#else
#define URLPOOL_MUST_USE
#define URLPOOL_PRINTF(f, a)
#define URLPOOL_MALLOC
#endif

/* URLPOOL_FREED_BY(f, n) says that what the function returns ends as argument `n` of `f`, and of no
 * other function: gcc warns of free() in its place, and of use behind it. clang has no such
 * attribute. Objects that are counted by references have none: giving one back ends nothing.
 * URLPOOL_MALLOC is for bytes alone: an object leads to others. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define URLPOOL_FREED_BY(f, n) __attribute__((malloc(f, n)))
#else
#define URLPOOL_FREED_BY(f, n)
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
