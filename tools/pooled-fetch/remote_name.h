#ifndef POOLED_FETCH_REMOTE_NAME_H
#define POOLED_FETCH_REMOTE_NAME_H

/* pf_name_of_url is the last part of a URL's path, or NULL when that is empty. Owns: for free(). */
char *pf_name_of_url(const char *text);
/* pf_name_of_disposition is the name that a Content-Disposition gives a file, without any folder in
 * front: a server has no say in which. NULL: it gives none. Owns: for free(). */
char *pf_name_of_disposition(const char *value);

#endif /* POOLED_FETCH_REMOTE_NAME_H */
