#ifndef URLP_BASE_LIST_H
#define URLP_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* struct urlp_list is both the head of an intrusive, doubly linked ring and a member's link. */
struct urlp_list {
    struct urlp_list *next, *prev;
};

#define URLP_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void urlp_list_init(struct urlp_list *list)
{
    list->next = list->prev = list;
}

static inline bool urlp_list_is_empty(const struct urlp_list *list)
{
    return list->next == list;
}

static inline void urlp_list_insert_between(struct urlp_list *link, struct urlp_list *prev,
                                            struct urlp_list *next)
{
    link->prev = prev;
    link->next = next;
    prev->next = link;
    next->prev = link;
}

static inline void urlp_list_push_front(struct urlp_list *list, struct urlp_list *link)
{
    urlp_list_insert_between(link, list, list->next);
}

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
