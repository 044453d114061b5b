"""The swapped application model, alone: it must exist before django-oauth-toolkit's own tables point at it."""

import django.db.models.deletion
import oauth2_provider.generators
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    run_before = [("oauth2_provider", "0001_initial")]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Client',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('client_id', models.CharField(db_index=True, default=oauth2_provider.generators.generate_client_id, max_length=255, unique=True, verbose_name='client ID')),
                ('redirect_uris', models.TextField(blank=True, help_text='Allowed URIs list, space separated', verbose_name='redirect URIs')),
                ('post_logout_redirect_uris', models.TextField(blank=True, default='', help_text='Allowed Post Logout URIs list, space separated', verbose_name='post logout redirect URIs')),
                ('client_type', models.CharField(choices=[('confidential', 'Confidential'), ('public', 'Public')], max_length=32, verbose_name='client type')),
                ('authorization_grant_type', models.CharField(choices=[('authorization-code', 'Authorization code'), ('urn:ietf:params:oauth:grant-type:device_code', 'Device Code'), ('implicit', 'Implicit'), ('password', 'Resource owner password-based'), ('client-credentials', 'Client credentials'), ('openid-hybrid', 'OpenID connect hybrid')], max_length=44, verbose_name='authorization grant type')),
                ('hash_client_secret', models.BooleanField(default=True, verbose_name='hash client secret')),
                ('name', models.CharField(blank=True, max_length=255, verbose_name='name')),
                ('skip_authorization', models.BooleanField(default=False, verbose_name='skip authorization')),
                ('created', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('algorithm', models.CharField(blank=True, choices=[('', 'No OIDC support'), ('RS256', 'RSA with SHA-2 256'), ('HS256', 'HMAC with SHA-2 256')], default='', max_length=5, verbose_name='algorithm')),
                ('allowed_origins', models.TextField(blank=True, default='', help_text='Allowed origins list to enable CORS, space separated', verbose_name='allowed origins')),
                ('registration_source', models.CharField(choices=[('manual', 'Manual'), ('dcr', 'Dynamic Client Registration'), ('cimd', 'Client ID Metadata Document')], default='manual', help_text='How this application was registered (manual, DCR per RFC 7591, or CIMD)', max_length=32, verbose_name='registration source')),
                ('cimd_expires_at', models.DateTimeField(blank=True, default=None, help_text='When the cached Client ID Metadata Document should be re-fetched', null=True, verbose_name='CIMD expires at')),
                ('client_secret', models.CharField(blank=True, default='', editable=False, max_length=255)),
                ('preset', models.CharField(choices=[('gpt', 'Custom GPT with an Action'), ('chatgpt', 'ChatGPT app or connector'), ('claude', 'Claude'), ('claude-code', 'Claude Code'), ('cursor', 'Cursor'), ('vscode', 'VS Code'), ('service', 'A service without a user'), ('other', 'Another application')], default='other', max_length=20, verbose_name='kind')),
                ('trust', models.CharField(choices=[('verified', 'Verified by our staff'), ('proven', 'Identity proven by its domain'), ('claimed', 'Claims a domain'), ('unverified', 'Unverified')], default='unverified', max_length=12, verbose_name='trust')),
                ('allowed_scopes', models.TextField(blank=True, help_text='Names separated by spaces. An empty list means none.', verbose_name='permissions it may ask for')),
                ('default_scopes', models.TextField(blank=True, help_text='Used for a request without scope. Empty: its read permissions.', verbose_name='permissions when it names none')),
                ('default_resource', models.CharField(blank=True, help_text='The path of the API its tokens are good for when it names none, such as /api/v1/gpt.', max_length=200, verbose_name='default resource')),
                ('allow_json_token_requests', models.BooleanField(default=False, help_text='Some GPT Actions send JSON instead of a form.', verbose_name='accept JSON at the token endpoint')),
                ('access_token_lifetime_s', models.PositiveIntegerField(default=3600, verbose_name='access token lifetime (seconds)')),
                ('refresh_token_lifetime_s', models.PositiveIntegerField(default=2592000, verbose_name='refresh token lifetime (seconds)')),
                ('suspended_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='suspended at')),
                ('suspension_reason', models.CharField(blank=True, editable=False, max_length=500, verbose_name='reason of the suspension')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='%(app_label)s_%(class)s', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'client',
                'verbose_name_plural': 'clients',
                'abstract': False,
                'swappable': 'OAUTH2_PROVIDER_APPLICATION_MODEL',
            },
        ),
    ]
