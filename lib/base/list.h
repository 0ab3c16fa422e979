#ifndef URLP_BASE_LIST_H
#define URLP_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* struct urlp_list is both the head of an intrusive, doubly linked ring and a member's link. */
struct urlp_list {
    struct urlp_list *next, *prev;
};

/* URLP_CONTAINER gives the struct whose member `member` is at `ptr`. */
#define URLP_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* urlp_list_init makes a ring of one: an empty list, or a link in no list. */
static inline void urlp_list_init(struct urlp_list *list)
{
    list->next = list->prev = list;
}

/* urlp_list_is_empty says whether `list` has no members; of a link, whether it is in no list. */
static inline bool urlp_list_is_empty(const struct urlp_list *list)
{
    return list->next == list;
}

/* urlp_list_insert_between puts `link` between two neighbours. */
static inline void urlp_list_insert_between(struct urlp_list *link, struct urlp_list *prev,
                                            struct urlp_list *next)
{
    link->prev = prev;
    link->next = next;
    prev->next = link;
    next->prev = link;
}

/* urlp_list_push_front makes `link`, which is in no list, the first member. */
static inline void urlp_list_push_front(struct urlp_list *list, struct urlp_list *link)
{
    urlp_list_insert_between(link, list, list->next);
}

/* urlp_list_push_back makes `link`, which is in no list, the last member. */
static inline void urlp_list_push_back(struct urlp_list *list, struct urlp_list *link)
{
    urlp_list_insert_between(link, list->prev, list);
}

/* urlp_list_remove takes `link` out and leaves it a ring of its own, so removing twice is harmless.
 */
static inline void urlp_list_remove(struct urlp_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    urlp_list_init(link);
}

#endif /* URLP_BASE_LIST_H */
