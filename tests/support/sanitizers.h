#ifndef TESTS_SUPPORT_SANITIZERS_H
#define TESTS_SUPPORT_SANITIZERS_H

/* What a test is built with. Sanitizers are slow; their heaps keep what was freed, and cannot do
 * what malloc can: be used in a child while another thread of the parent was in them at the fork.
 */

#ifndef __has_feature
#define __has_feature(name) 0 /* clang's word; gcc has macros */
#endif

/* HAS_ASAN says whether it is AddressSanitizer, HAS_TSAN whether ThreadSanitizer, IS_SANITIZED
 * whether one of them. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define HAS_ASAN 1
#else
#define HAS_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define HAS_TSAN 1
#else
#define HAS_TSAN 0
#endif
#if HAS_ASAN || HAS_TSAN
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

#endif /* TESTS_SUPPORT_SANITIZERS_H */
